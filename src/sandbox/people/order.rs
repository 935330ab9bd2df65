//! The order itself: the ServiceRequest, and the Task that asks for it.

use serde_json::{Value, json};

use super::case::Case;
use crate::fhir::coding::{PLACER, concept, typed_identifier};

const SNOMED: &str = "http://snomed.info/sct";

/// When everything in a referral was written. Fixed, so that a seed gives the same JSON on every day.
pub(super) const AUTHORED: &str = "2026-03-02T09:30:00Z";

/// Why the patient is referred.
#[derive(Clone, Copy)]
pub(super) struct Reason {
    snomed: &'static str,
    pub(super) icd10: &'static str,
    pub(super) display: &'static str,
}

const REASONS: [Reason; 4] = [
    Reason { snomed: "29857009", icd10: "R07.9", display: "Chest pain" },
    Reason { snomed: "80313002", icd10: "R00.2", display: "Palpitations" },
    Reason { snomed: "267036007", icd10: "R06.00", display: "Dyspnea" },
    Reason { snomed: "271594007", icd10: "R55", display: "Syncope" },
];

pub(super) fn reason(case: &Case) -> Reason {
    case.pick("reason", &REASONS)
}

pub(super) fn service_request(case: &Case) -> Value {
    let reason = reason(case);
    let mut supporting = vec![case.reference("letter"), case.reference("observation")];
    if case.has_consent() {
        supporting.push(case.reference("consent"));
    }
    json!({
        "resourceType": "ServiceRequest",
        "identifier": [typed_identifier(PLACER, &case.system("placer"), &case.number("PLAC"))],
        "status": "active",
        "intent": "order",
        "category": [{ "coding": [{
            "system": SNOMED, "code": "3457005", "display": "Patient referral",
        }] }],
        "priority": case.pick("priority", &["routine", "urgent", "routine"]),
        "code": {
            "coding": [{
                "system": SNOMED, "code": "183519002", "display": "Referral to cardiology service",
            }],
            "text": "Cardiology consultation",
        },
        "subject": case.reference("patient"),
        "occurrencePeriod": { "start": "2026-03-02", "end": "2026-06-02" },
        "authoredOn": AUTHORED,
        "requester": case.reference("role"),
        "reasonCode": [{ "coding": [{
            "system": SNOMED, "code": reason.snomed, "display": reason.display,
        }] }],
        "reasonReference": [case.reference("condition")],
        "insurance": [case.reference("coverage")],
        "supportingInfo": supporting,
        "note": [{ "text": "Synthetic referral. Please see and advise." }],
    })
}

pub(super) fn task(case: &Case) -> Value {
    json!({
        "resourceType": "Task",
        "identifier": [typed_identifier(PLACER, &case.system("placer-task"), &case.number("TASK"))],
        "status": "requested",
        "intent": "order",
        "code": concept("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": case.reference("request"),
        "for": case.reference("patient"),
        "authoredOn": AUTHORED,
        "lastModified": AUTHORED,
        "requester": case.reference("role"),
    })
}
