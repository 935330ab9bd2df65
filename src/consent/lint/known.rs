//! The codes that a permit can be matched by (consent S7). A test asks the engine for each.

use serde_json::Value;

use crate::consent::purpose;
use crate::fhir::coding::codings;

const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// Profile, media type and document format, the last by every name that it has had.
const OPEN_CLASSES: [&str; 5] = [
    "urn:ietf:rfc:3986",
    "urn:ietf:bcp:13",
    "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
    "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
    "urn:oid:1.3.6.1.4.1.19376.1.2.3",
];

/// Whether an actor's role is a recipient's, the custodian's or the author's.
pub fn is_role(role: &Value) -> bool {
    codings(role)
        .filter_map(|it| it["code"].as_str())
        .any(|it| matches!(it, "IRCP" | "PRCP" | "GRANTEE" | "DELEGATEE" | "CST" | "AUT"))
}

/// Whether a concept has an action of FHIR's.
pub fn is_action(concept: &Value) -> bool {
    codings(concept)
        .filter(|it| it["system"] == ACTION)
        .filter_map(|it| it["code"].as_str())
        .any(|it| matches!(it, "collect" | "access" | "use" | "disclose" | "correct"))
}

/// Whether a coding is a purpose of v3-ActReason.
pub fn is_purpose(coding: &Value) -> bool {
    coding["system"] == purpose::ACT_REASON && coding["code"].as_str().is_some_and(purpose::is_known)
}

/// Whether a coding is a class: for resource types at least spelt like one.
pub fn is_class(coding: &Value) -> bool {
    let code = coding["code"].as_str().unwrap_or_default();
    match coding["system"].as_str() {
        Some(RESOURCE_TYPES) => {
            code.starts_with(|it: char| it.is_ascii_uppercase())
                && code.chars().all(|it| it.is_ascii_alphabetic())
        }
        Some(system) => OPEN_CLASSES.contains(&system) && !code.is_empty(),
        None => false,
    }
}

/// Whether every coding that has a code says whose code it is, and there is one.
pub fn is_exact_code(concept: &Value) -> bool {
    let mut with_code = codings(concept).filter(|it| it["code"].is_string()).peekable();
    with_code.peek().is_some() && with_code.all(|it| it["system"].is_string())
}
