//! Whether a reference names the patient of the referral.

use serde_json::Value;

use super::disclosure::PatientAtClinic;
use crate::fhir::reference::{Target, target};

/// Whom a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The patient of the referral.
    This,
    /// Certainly somebody else.
    Another,
    /// It cannot be told.
    Unclear,
}

/// Whom a reference names (consent S2, rule 3).
pub fn whose(reference: &Value, patient: &PatientAtClinic) -> Whose {
    let literal = reference["reference"].as_str().map(|text| by_literal(text, patient));
    let identifier = reference.get("identifier").map(|it| by_identifier(it, patient));
    match (literal, identifier) {
        (Some(Whose::This), _) | (_, Some(Whose::This)) => Whose::This,
        (Some(Whose::Another), None | Some(Whose::Another)) | (None, Some(Whose::Another)) => Whose::Another,
        _ => Whose::Unclear,
    }
}

fn by_literal(text: &str, patient: &PatientAtClinic) -> Whose {
    let relative = match target(text) {
        Target::Absolute(url) => match url.strip_prefix(&patient.base).and_then(|it| it.strip_prefix('/')) {
            Some(relative) => relative,
            None => return Whose::Unclear,
        },
        Target::Relative { .. } => text,
        _ => return Whose::Unclear,
    };
    let unversioned = relative.split("/_history/").next().unwrap_or(relative);
    if unversioned == patient.reference { Whose::This } else { Whose::Another }
}

fn by_identifier(identifier: &Value, patient: &PatientAtClinic) -> Whose {
    let (Some(system), Some(value)) = (identifier["system"].as_str(), identifier["value"].as_str()) else {
        return Whose::Unclear;
    };
    let same_system: Vec<&str> =
        patient.identifiers.iter().filter(|(it, _)| it == system).map(|(_, value)| value.as_str()).collect();
    if same_system.contains(&value) {
        Whose::This
    } else if same_system.is_empty() {
        Whose::Unclear
    } else {
        Whose::Another
    }
}
