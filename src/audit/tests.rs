use super::*;

fn identifier(value: &str) -> BusinessIdentifier {
    BusinessIdentifier { system: "http://hl7.org/fhir/sid/us-npi".to_owned(), value: value.to_owned() }
}

fn content_of(make: impl Fn(&Facts<'_>, &DecisionNote) -> NewAuditRecord, outcome: &'static str) -> Value {
    let (custodian, recipient) = (identifier("1999999992"), identifier("1234567893"));
    let resource =
        ResourceVersion { resource_type: "Task".to_owned(), id: "5".to_owned(), version: "2".to_owned() };
    let facts = Facts {
        at: "2026-03-10T15:00:00Z".parse().unwrap(),
        gateway: "https://gateway.example",
        custodian: &custodian,
        recipient: &recipient,
        address: "https://ehr.example/fhir",
        patient: "Patient/9",
        resource: &resource,
        purpose: ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT"),
        delivery: None,
    };
    let note = DecisionNote {
        outcome,
        rule: "provision-permit",
        consents: vec!["Consent/3/_history/1".to_owned(), "Consent/4/_history/7".to_owned()],
    };
    let record = make(&facts, &note);
    crate::fhir::json::parse(record.content.reveal()).unwrap()
}

fn references(event: &Value) -> Vec<&str> {
    let entities = event["entity"].as_array().unwrap();
    entities.iter().map(|it| it["what"]["reference"].as_str().unwrap()).collect()
}

#[test]
fn a_decision_names_the_patient_the_version_and_every_consent_that_was_read() {
    let content = content_of(|facts, note| facts.decision(note, &json!({ "outcome": "permit" })), "permit");

    let event = &content["event"];
    assert_eq!(event["type"]["code"], "110113");
    assert_eq!(event["subtype"][0]["code"], "AuthZ-Consent");
    assert_eq!(
        references(event),
        ["Patient/9", "Task/5/_history/2", "Consent/3/_history/1", "Consent/4/_history/7"]
    );
    assert_eq!(event["agent"].as_array().unwrap().len(), 4);
    assert_eq!(content["trace"]["outcome"], "permit");
}

#[test]
fn a_hold_is_a_minor_failure_and_a_denial_a_serious_one() {
    for (outcome, code) in [("permit", "0"), ("redact", "0"), ("hold", "4"), ("deny", "8")] {
        let content = content_of(|facts, note| facts.decision(note, &Value::Null), outcome);

        assert_eq!(content["event"]["outcome"], code, "{outcome}");
    }
}

#[test]
fn a_disclosure_names_source_and_destination_and_keeps_how_it_was_reduced() {
    let content =
        content_of(|facts, note| facts.disclosure(note, "ab12", Some(&provenance(facts))), "redact");

    let event = &content["event"];
    assert_eq!(event["type"]["code"], "110106");
    assert_eq!(event["agent"][0]["who"]["identifier"]["value"], "1999999992");
    assert_eq!(event["agent"][1]["who"]["identifier"]["value"], "1234567893");
    assert_eq!(event["agent"][1]["network"]["address"], "https://ehr.example/fhir");
    assert_eq!(content["provenance"]["entity"][0]["what"]["reference"], "Task/5/_history/2");
}
