//! Codings and identifiers.

use serde_json::{Value, json};

/// The terminology of identifier types (HL7 v2 table 0203).
pub const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

/// The type of an identifier that the placer of an order gave.
pub const PLACER: &str = "PLAC";

/// The type of an identifier that the filler of an order gave.
pub const FILLER: &str = "FILL";

/// An `Identifier` with a type of HL7 v2 table 0203.
pub fn typed_identifier(type_code: &str, system: &str, value: &str) -> Value {
    json!({
        "type": { "coding": [{ "system": IDENTIFIER_TYPE, "code": type_code }] },
        "system": system,
        "value": value,
    })
}

/// A `CodeableConcept` with one coding.
pub fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// Whether a `CodeableConcept` has this coding.
pub fn has_coding(concept: &Value, system: &str, code: &str) -> bool {
    codings(concept).any(|it| it["system"] == system && it["code"] == code)
}

/// The codings of a `CodeableConcept`.
pub fn codings(concept: &Value) -> impl Iterator<Item = &Value> {
    concept["coding"].as_array().into_iter().flatten()
}

/// The identifiers of a resource that have a value, as (system, value); the system may be empty.
pub fn identifiers(resource: &Value) -> impl Iterator<Item = (&str, &str)> {
    resource["identifier"].as_array().into_iter().flatten().filter_map(|it| {
        let value = it["value"].as_str().filter(|value| !value.is_empty())?;
        Some((it["system"].as_str().unwrap_or_default(), value))
    })
}
