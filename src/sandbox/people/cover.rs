//! What covers a case: the insurance, and the patient's consent.

use serde_json::{Value, json};

use super::case::Case;
use crate::fhir::coding::concept;

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

pub(super) fn coverage(case: &Case) -> Value {
    json!({
        "resourceType": "Coverage",
        "identifier": [{ "system": case.system("member"), "value": case.number("MEM") }],
        "status": "active",
        "type": concept(ACT_CODE, "EHCPOL"),
        "subscriberId": case.number("MEM"),
        "beneficiary": case.reference("patient"),
        "period": { "start": "2025-01-01" },
        "payor": [{
            "identifier": { "system": "https://payer.example/sid/plan", "value": "PLAN-1" },
            "display": "Example Health Plan",
        }],
    })
}

/// An opt-in to sharing for treatment. Its only provision is the root, so that every reader of Consent
/// understands it alike.
pub(super) fn consent(case: &Case) -> Value {
    json!({
        "resourceType": "Consent",
        "identifier": [{ "system": case.system("consent"), "value": case.number("CONS") }],
        "status": "active",
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [concept("http://loinc.org", "59284-0"), concept(ACT_CODE, "INFA")],
        "patient": case.reference("patient"),
        "dateTime": "2025-01-15",
        "performer": [case.reference("patient")],
        "policyRule": concept(ACT_CODE, "OPTIN"),
        "provision": { "type": "permit", "period": { "start": "2025-01-15", "end": "2095-12-31" } },
    })
}
