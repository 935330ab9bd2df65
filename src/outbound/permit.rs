//! Asks consent: reads what the clinic knows of the patient's Consents, just now, and has it decided.

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use super::read::Content;
use crate::consent::disclosure::{DISCLOSE, Disclosure, Labelling, PatientAtClinic, Purpose, Source};
use crate::consent::examine;
use crate::consent::permit::{Decision, Refusal};
use crate::fhir::client::failure::Failure;
use crate::fhir::coding;
use crate::model::partner::Partner;
use crate::model::update::DecisionNote;
use crate::translation::to_partner::at_clinic;

/// Updates go to a referrer for treatment (v3-ActReason).
const PURPOSE: &str = "TREAT";

/// A decision, and when time alone may change it.
pub(super) struct Asked {
    pub(super) decision: Decision,
    pub(super) next_boundary: Option<Timestamp>,
}

impl Outbound {
    /// Decides whether this may go to this partner, now. What cannot be read counts as doubt.
    pub(super) async fn permit(&self, partner: &Partner, content: &Content) -> Result<Asked, Failure> {
        let clinic = content.referral.clinic.as_ref().and_then(|it| it.first("Patient"));
        let reference = clinic.ok_or(Failure::NotSent("patient-unknown"))?.reference();
        let patient = self.patient(reference).await?;
        let consents = self.consents(&patient).await;
        let source = if consents.is_ok() { Source::READ_NOW } else { Source::Unavailable };
        let consents = consents.unwrap_or_default();
        let surroundings = self.surroundings(partner, &consents).await;
        let (decision, trace) = examine(&Disclosure {
            version: content.version.clone(),
            resources: &content.resources,
            patient: &patient,
            recipient: partner.id.clone(),
            receiver: &surroundings.receiver,
            purpose: &Purpose::reason(PURPOSE),
            action: DISCLOSE,
            consents: &consents,
            source,
            labelling: Labelling::Works,
            directory: &surroundings.directory,
            clinic: &surroundings.rules,
            now: self.clock.now(),
        });
        let decision = within_our_means(decision);
        log(decision.note(), content);
        Ok(Asked { decision, next_boundary: trace.next_boundary })
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
