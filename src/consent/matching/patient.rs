//! Whether a reference names the patient of the referral.

use serde_json::Value;

use super::literal::{Literal, literal, type_of};
use crate::consent::disclosure::PatientAtClinic;
use crate::fhir::{coding, resource};

/// Whom a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The patient of the referral, or a record that was merged into it.
    This,
    /// Certainly somebody else.
    Another,
    /// It cannot be told.
    Unclear,
}

/// Whom a reference names (consent S2, rule 3).
pub fn whose(reference: &Value, patient: &PatientAtClinic, base: &str) -> Whose {
    let literal = reference["reference"].as_str().map(|text| by_literal(text, patient, base));
    let identifier = reference.get("identifier").map(|it| by_identifier(it, patient));
    match (literal, identifier) {
        (Some(Whose::This), _) | (_, Some(Whose::This)) => Whose::This,
        (Some(Whose::Another), None | Some(Whose::Another)) | (None, Some(Whose::Another)) => Whose::Another,
        _ => Whose::Unclear,
    }
}

/// Whether a Patient resource is the patient of the referral.
pub fn is_record_of(record: &Value, patient: &PatientAtClinic) -> bool {
    let name = format!("Patient/{}", resource::id(record));
    is_ours(&name, patient)
        || coding::identifiers(record)
            .any(|(system, value)| patient.identifiers.iter().any(|it| it.0 == system && it.1 == value))
}

fn by_literal(text: &str, patient: &PatientAtClinic, base: &str) -> Whose {
    match literal(text, base) {
        Literal::Local(name) if is_ours(name, patient) => Whose::This,
        Literal::Local(name) if type_of(name) == "Patient" => Whose::Another,
        _ => Whose::Unclear,
    }
}

fn is_ours(name: &str, patient: &PatientAtClinic) -> bool {
    patient.reference == name || patient.aliases.iter().any(|it| it == name)
}

fn by_identifier(identifier: &Value, patient: &PatientAtClinic) -> Whose {
    let (Some(system), Some(value)) = (identifier["system"].as_str(), identifier["value"].as_str()) else {
        return Whose::Unclear;
    };
    let mut same_system = patient.identifiers.iter().filter(|it| it.0 == system).peekable();
    if same_system.peek().is_none() {
        Whose::Unclear
    } else if same_system.any(|it| it.1 == value) {
        Whose::This
    } else {
        Whose::Another
    }
}
