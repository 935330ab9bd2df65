//! What the patient tells the front desk about sharing.

use serde_json::{Value, json};

use super::{ClinicReferral, SimulatedClinic, to};
use crate::fhir::coding::concept;

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// What a consent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentSays {
    /// Share for treatment.
    Permit,
    /// Share nothing.
    Deny,
}

impl SimulatedClinic {
    /// Records a consent, in force from now on. Gives the Consent.
    pub fn record_consent(&self, referral: &ClinicReferral, says: ConsentSays) -> Value {
        self.server.create(self.consent(referral, says))
    }

    /// Records a consent that permits and names psychotherapy notes, which a general one does not cover.
    pub fn record_consent_to_psychotherapy_notes(&self, referral: &ClinicReferral) -> Value {
        let mut consent = self.consent(referral, ConsentSays::Permit);
        consent["provision"]["securityLabel"] = json!([{ "system": ACT_CODE, "code": "PSYTHPN" }]);
        self.server.create(consent)
    }

    /// Takes one consent back: it is no longer active.
    pub fn revoke_consent(&self, consent: &Value) -> Value {
        let mut consent = consent.clone();
        consent["status"] = json!("inactive");
        self.server.update(consent)
    }

    /// Takes back every active consent of the patient, and says how many there were.
    pub fn revoke_consents(&self, referral: &ClinicReferral) -> usize {
        let of_patient = |it: &Value| it["patient"]["reference"] == referral.patient.as_str();
        let consents = self.server.all("Consent");
        let active = consents.iter().filter(|it| of_patient(it) && it["status"] == "active");
        active.fold(0, |count, it| {
            self.revoke_consent(it);
            count + 1
        })
    }

    fn consent(&self, referral: &ClinicReferral, says: ConsentSays) -> Value {
        let (rule, provision) = match says {
            ConsentSays::Permit => ("OPTIN", "permit"),
            ConsentSays::Deny => ("OPTOUT", "deny"),
        };
        json!({
            "resourceType": "Consent",
            "status": "active",
            "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
            "category": [concept("http://loinc.org", "59284-0")],
            "patient": to(&referral.patient),
            "dateTime": self.now(),
            "performer": [to(&referral.patient)],
            "policyRule": concept(ACT_CODE, rule),
            "provision": { "type": provision, "period": { "start": self.now() } },
        })
    }
}
