//! Asks consent: reads what the clinic knows of the patient's Consents, just now, and has it decided.

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use super::read::Content;
use super::relate::version_of;
use super::surroundings::Surroundings;
use crate::consent::disclosure::{DISCLOSE, Disclosure, Labelling, PatientAtClinic, Purpose, Source};
use crate::consent::permit::{Decision, Refusal};
use crate::consent::trace::Trace;
use crate::consent::{examine, remedies};
use crate::fhir::client::failure::Failure;
use crate::fhir::coding;
use crate::model::ids::PartnerId;
use crate::model::partner::{BusinessIdentifier, Partner};
use crate::model::update::{DecisionNote, ResourceVersion};
use crate::translation::to_partner::at_clinic;

/// Updates go to a referrer for treatment (v3-ActReason).
pub(super) const PURPOSE: &str = "TREAT";

/// May this go there? What the clinic knows is read when it is asked.
pub(super) struct Question<'a> {
    pub(super) recipient: PartnerId,
    pub(super) organization: &'a BusinessIdentifier,
    pub(super) patient: String,
    pub(super) version: ResourceVersion,
    pub(super) resources: &'a [Value],
    pub(super) purpose: Purpose,
    pub(super) action: &'a str,
    pub(super) at: Timestamp,
}

/// A decision, how it came about, and on what it depends besides Consents.
pub(super) struct Asked {
    pub(super) decision: Decision,
    pub(super) trace: Trace,
    pub(super) depends_on: Vec<ResourceVersion>,
}

impl Outbound {
    /// Decides whether this may go to this partner, now.
    pub(super) async fn permit(&self, partner: &Partner, content: &Content) -> Result<Asked, Failure> {
        let asked = self.ask_about(partner, content).await?;
        log(asked.decision.note(), content);
        Ok(asked)
    }

    /// The same question without a line in the log.
    pub(super) async fn ask_about(&self, partner: &Partner, content: &Content) -> Result<Asked, Failure> {
        self.ask(&Question {
            recipient: partner.id.clone(),
            organization: &partner.organization,
            patient: content.patient()?,
            version: content.version.clone(),
            resources: &content.resources,
            purpose: Purpose::reason(PURPOSE),
            action: DISCLOSE,
            at: self.clock.now(),
        })
        .await
    }

    /// Asks one question. What cannot be read counts as doubt.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Asked, Failure> {
        let patient = self.patient(question.patient.clone()).await?;
        let consents = self.consents(&patient).await;
        let source = if consents.is_ok() { Source::READ_NOW } else { Source::Unavailable };
        let consents = consents.unwrap_or_default();
        let surroundings = self.surroundings(question.organization, &consents).await;
        let disclosure = Disclosure {
            version: question.version.clone(),
            resources: question.resources,
            patient: &patient,
            recipient: question.recipient.clone(),
            receiver: &surroundings.receiver,
            purpose: &question.purpose,
            action: question.action,
            consents: &consents,
            source,
            labelling: Labelling::Works,
            directory: &surroundings.directory,
            clinic: &surroundings.rules,
            now: question.at,
        };
        let (decision, mut trace) = examine(&disclosure);
        trace.remedies = remedies::find(&disclosure, &trace);
        let decision = within_our_means(decision);
        (trace.outcome, trace.rule) = (decision.note().outcome.into(), decision.note().rule.into());
        Ok(Asked { decision, trace, depends_on: dependencies(question, &surroundings) })
    }

    async fn patient(&self, reference: String) -> Result<PatientAtClinic, Failure> {
        let patient = self.clinic.read(&reference).await?;
        let owned = |(system, value): (&str, &str)| (system.to_owned(), value.to_owned());
        Ok(PatientAtClinic {
            reference,
            identifiers: coding::identifiers(&patient).map(owned).collect(),
            aliases: self.aliases(&patient),
        })
    }

    /// Records that were merged into this one (FHIR R4, Patient.link).
    fn aliases(&self, patient: &Value) -> Vec<String> {
        let links = patient["link"].as_array().into_iter().flatten();
        let replaced = links.filter(|it| matches!(it["type"].as_str(), Some("replaces" | "seealso")));
        replaced.filter_map(|it| at_clinic(it["other"]["reference"].as_str()?, self.clinic.base())).collect()
    }

    /// Every Consent of the patient and of its merged records, whatever its status: no filter of the server
    /// is trusted (consent S9).
    async fn consents(&self, patient: &PatientAtClinic) -> Result<Vec<Value>, Failure> {
        let mut found = Vec::new();
        for reference in std::iter::once(&patient.reference).chain(&patient.aliases) {
            found.extend(
                self.clinic.search("Consent", &[("patient", reference.as_str()), ("_count", "100")]).await?,
            );
        }
        Ok(found)
    }
}

/// What goes along, and whom the Consents name: each in the version that was read.
fn dependencies(question: &Question<'_>, surroundings: &Surroundings) -> Vec<ResourceVersion> {
    let along = question.resources.iter().skip(1);
    let read = along.chain(&surroundings.directory).map(version_of);
    let unread = surroundings.unread.iter().filter_map(|it| {
        let (resource_type, id) = it.split_once('/')?;
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        Some(ResourceVersion { resource_type, id, version: String::new() })
    });
    read.chain(unread).collect()
}

/// What must go along with a disclosure cannot go along yet, so it does not go (consent S8, obligations).
fn within_our_means(decision: Decision) -> Decision {
    match decision {
        Decision::Permit(permit) if !permit.obligations().is_empty() => {
            let consents = permit.note().consents.clone();
            let note = DecisionNote { outcome: "hold", rule: "obligation-not-carried", consents };
            Decision::Hold(Refusal { note })
        }
        other => other,
    }
}

/// Ids, the outcome and the rule. Labels, codes and names stay out: a label can be the secret itself.
fn log(note: &DecisionNote, content: &Content) {
    tracing::info!(
        referral.id = %content.referral.id,
        resource.version = %content.version,
        decision = note.outcome,
        rule = note.rule,
        consents = note.consents.len(),
        "consent decided"
    );
}
