//! Whether a Consent is to be followed (consent S2, rule 2).

use serde_json::Value;

/// What its `status` says. Codes count as FHIR writes them, capitals and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// "To be followed and enforced".
    Active,
    /// Not yet, not any more, or never.
    NotActive,
    /// None, or no code of FHIR's.
    Unknown,
}

impl Status {
    /// Reads it.
    pub fn of(consent: &Value) -> Self {
        match consent["status"].as_str() {
            Some("active") => Self::Active,
            Some("draft" | "proposed" | "rejected" | "inactive" | "entered-in-error") => Self::NotActive,
            _ => Self::Unknown,
        }
    }
}
