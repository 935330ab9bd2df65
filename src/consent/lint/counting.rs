//! What keeps a Consent from counting for certain: its status, whose it is, what it is about (consent S2,
//! rules 2, 3 and 5).

use serde_json::Value;

use super::{Finding, Home};
use crate::consent::matching::literal::type_of;
use crate::consent::standing::scope;
use crate::consent::standing::status::Status;
use crate::fhir::reference::{Target, target};

/// Looks at the three. Where one is missing altogether, that has been told.
pub fn look(consent: &Value, home: Home, findings: &mut Vec<Finding>) {
    if consent.get("status").is_some() && Status::of(consent) == Status::Unknown {
        let fix = "Write one of FHIR R4's codes in small letters: `active` is the one to be followed.";
        findings.push(Finding::only_holds(&"Consent.status", "status-unknown", fix));
    }
    if consent.get("patient").is_some_and(|it| !may_name_a_patient(it, home)) {
        let fix = "Name the patient by `reference` (`Patient/id`) or by `identifier` with `system` and `value`: \
                   a display alone may be anybody.";
        findings.push(Finding::only_holds(&"Consent.patient", "patient-unclear", fix));
    }
    if consent.get("scope").is_some_and(|it| !scope::is_known(it)) {
        let fix = "Give it a coding of `http://terminology.hl7.org/CodeSystem/consentscope`, which for sharing \
                   is `patient-privacy`.";
        findings.push(Finding::only_holds(&"Consent.scope", "scope-unknown", fix));
    }
}

/// Whether there is a clinic for which this names a patient.
fn may_name_a_patient(reference: &Value, home: Home) -> bool {
    let by_literal = reference["reference"].as_str().is_some_and(|text| match target(text) {
        Target::Relative { .. } => type_of(text) == "Patient",
        Target::Absolute(_) => true,
        Target::Urn(_) => home == Home::Bundle,
        Target::Contained(_) | Target::Unclear(_) => false,
    });
    let identifier = &reference["identifier"];
    by_literal || (identifier["system"].is_string() && identifier["value"].is_string())
}
