//! Asks consent: reads what the clinic knows of the patient's Consents, just now, and has it decided.

use serde_json::Value;

use super::Outbound;
use super::read::Content;
use crate::consent::decide;
use crate::consent::disclosure::{Disclosure, PatientAtClinic, Source};
use crate::consent::permit::Decision;
use crate::fhir::client::failure::Failure;
use crate::fhir::coding;
use crate::model::partner::Partner;

/// Updates go to a referrer for treatment (v3-ActReason).
const PURPOSE: &str = "TREAT";

impl Outbound {
    /// Decides whether this may go to this partner, now. What cannot be read counts as doubt.
    pub(super) async fn permit(&self, partner: &Partner, content: &Content) -> Result<Decision, Failure> {
        let clinic = content.referral.clinic.as_ref().and_then(|it| it.first("Patient"));
        let reference = clinic.ok_or(Failure::NotSent("patient-unknown"))?.reference();
        let patient = self.patient(reference).await?;
        let consents = self.consents(&patient.reference).await;
        let source = if consents.is_ok() { Source::Read } else { Source::Unavailable };
        let decision = decide(&Disclosure {
            version: content.version.clone(),
            resources: &content.resources,
            patient: &patient,
            recipient: partner.id.clone(),
            purpose: PURPOSE,
            consents: &consents.unwrap_or_default(),
            source,
            default: &self.house.default,
            now: self.clock.now(),
            time_zone: &self.house.time_zone,
        });
        log(&decision, content);
        Ok(decision)
    }

    async fn patient(&self, reference: String) -> Result<PatientAtClinic, Failure> {
        let patient = self.clinic.read(&reference).await?;
        let identifiers =
            coding::identifiers(&patient).map(|(system, value)| (system.to_owned(), value.to_owned()));
        Ok(PatientAtClinic {
            base: self.clinic.base().to_owned(),
            identifiers: identifiers.collect(),
            reference,
        })
    }

    /// Every Consent, whatever its status: no filter of the server is trusted (consent S9).
    async fn consents(&self, patient: &str) -> Result<Vec<Value>, Failure> {
        self.clinic.search("Consent", &[("patient", patient), ("_count", "100")]).await
    }
}

/// Ids, the outcome and the rule. Labels, codes and names stay out: a label can be the secret itself.
fn log(decision: &Decision, content: &Content) {
    let note = match decision {
        Decision::Permit(permit) => permit.note(),
        Decision::Hold(refusal) | Decision::Deny(refusal) => &refusal.note,
    };
    tracing::info!(
        referral.id = %content.referral.id,
        resource.version = %content.version,
        decision = note.outcome,
        rule = note.rule,
        consents = note.consents.len(),
        "consent decided"
    );
}
