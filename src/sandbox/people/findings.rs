//! What is known about the patient: the reason, a measurement, a letter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::case::Case;
use super::order::{AUTHORED, reason};
use crate::fhir::coding::concept;

pub(super) fn condition(case: &Case) -> Value {
    let reason = reason(case);
    json!({
        "resourceType": "Condition",
        "identifier": [{ "system": case.system("condition"), "value": case.number("COND") }],
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "verificationStatus": concept(
            "http://terminology.hl7.org/CodeSystem/condition-ver-status", "provisional",
        ),
        "category": [concept(
            "http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis",
        )],
        "code": {
            "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": reason.icd10 }],
            "text": reason.display,
        },
        "subject": case.reference("patient"),
        "recordedDate": AUTHORED,
    })
}

pub(super) fn observation(case: &Case) -> Value {
    let rate = 60 + case.seed % 40;
    json!({
        "resourceType": "Observation",
        "identifier": [{ "system": case.system("observation"), "value": case.number("OBS") }],
        "status": "final",
        "category": [concept(
            "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs",
        )],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4", "display": "Heart rate" }] },
        "subject": case.reference("patient"),
        "effectiveDateTime": AUTHORED,
        "valueQuantity": {
            "value": rate, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min",
        },
    })
}

pub(super) fn letter(case: &Case) -> Value {
    let mut pdf = b"%PDF-1.4\n% A synthetic referral letter. It is about nobody.\n".to_vec();
    pdf.resize(pdf.len().max(case.options.letter_bytes), b' ');
    pdf.extend_from_slice(b"\n%%EOF\n");
    json!({
        "resourceType": "DocumentReference",
        "identifier": [{ "system": case.system("document"), "value": case.number("DOCU") }],
        "status": "current",
        "type": { "coding": [{
            "system": "http://loinc.org", "code": "57133-1", "display": "Referral note",
        }] },
        "subject": case.reference("patient"),
        "date": AUTHORED,
        "author": [case.reference("practitioner")],
        "content": [{ "attachment": {
            "contentType": "application/pdf",
            "data": STANDARD.encode(pdf),
            "title": "Referral letter",
        } }],
    })
}
