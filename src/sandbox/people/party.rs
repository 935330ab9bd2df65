//! The people and the organisation of a case. The names are made so that nobody bears them.

use serde_json::{Value, json};

use super::case::Case;
use crate::fhir::coding::typed_identifier;

const GIVEN: [&str; 6] = ["Testina", "Mockbert", "Samplina", "Fixturia", "Stubford", "Demoline"];
const FAMILY: [&str; 6] = ["Exampleton", "Placeholder", "Loremson", "Sampleworth", "Testerman", "Synthfield"];
const BORN: [&str; 4] = ["1948-03-14", "1961-11-02", "1979-07-23", "1990-01-30"];

pub(super) fn patient(case: &Case) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [typed_identifier("MR", &case.system("mrn"), &case.number("MRN"))],
        "active": true,
        "name": [{
            "use": "official",
            "family": case.pick("family", &FAMILY),
            "given": [case.pick("given", &GIVEN)],
        }],
        "telecom": [{ "system": "phone", "value": "+1-202-555-0143", "use": "home" }],
        "gender": case.pick("gender", &["female", "male", "other"]),
        "birthDate": case.pick("born", &BORN),
        "address": [{
            "line": [format!("{} Synthetic Street", 1 + case.seed % 999)],
            "city": "Testville",
            "state": "WA",
            "postalCode": "00000",
            "country": "US",
        }],
    })
}

pub(super) fn organization(case: &Case) -> Value {
    json!({
        "resourceType": "Organization",
        "identifier": [{ "system": "http://hl7.org/fhir/sid/us-npi", "value": case.options.npi }],
        "active": true,
        "name": format!("Synthetic practice {}", case.options.partner),
    })
}

pub(super) fn practitioner(case: &Case) -> Value {
    json!({
        "resourceType": "Practitioner",
        "identifier": [{ "system": case.system("practitioner"), "value": "DOC-1" }],
        "active": true,
        "name": [{ "family": "Referrington", "given": ["Mocktavia"], "prefix": ["Dr."] }],
    })
}

pub(super) fn practitioner_role(case: &Case) -> Value {
    json!({
        "resourceType": "PractitionerRole",
        "identifier": [{ "system": case.system("practitioner-role"), "value": "DOC-1-GP" }],
        "active": true,
        "practitioner": case.reference("practitioner"),
        "organization": case.reference("organization"),
        "specialty": [{ "coding": [{
            "system": "http://snomed.info/sct", "code": "394814009", "display": "General practice",
        }] }],
    })
}
