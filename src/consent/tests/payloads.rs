//! What is decided one by one, and whom it is about (consent S8).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, labelled, level, observation, permit, task};
use crate::consent::permit::Decision;
use crate::model::ids::PartnerId;
use crate::model::update::ResourceVersion;

fn permitted(resources: &[Value]) -> String {
    Setting::new().sends(resources).consents(&[permit()]).outcome()
}

fn organization() -> Value {
    json!({ "resourceType": "Organization", "id": "lab" })
}

fn bundle(kind: &str, resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|it| json!({ "resource": it })).collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

#[test]
fn a_permit_is_for_one_version_and_one_recipient() {
    let Decision::Permit(permit) = Setting::new().consents(&[permit()]).decide() else { panic!("held") };
    let version = |version: &str| ResourceVersion {
        resource_type: "Task".into(),
        id: "5".into(),
        version: version.into(),
    };

    assert!(permit.covers(&version("2"), &PartnerId::new("lakeside")));
    assert!(!permit.covers(&version("3"), &PartnerId::new("lakeside")));
    assert!(!permit.covers(&version("2"), &PartnerId::new("other")));
}

#[test]
fn a_patient_goes_along_if_it_is_the_patient_of_the_referral() {
    let patient = |id: &str, system: &str, value: &str| json!({ "resourceType": "Patient", "id": id, "identifier": [{ "system": system, "value": value }] });
    for (patient, expected) in [
        (json!({ "resourceType": "Patient", "id": "9" }), "permit provision-permit"),
        (json!({ "resourceType": "Patient", "id": "8" }), "permit provision-permit"),
        (patient("77", "urn:mrn", "1"), "permit provision-permit"),
        (patient("77", "urn:mrn", "2"), "hold subject-unclear"),
        (patient("77", "urn:other", "1"), "hold subject-unclear"),
        (json!({ "resourceType": "Patient", "id": "10" }), "hold subject-unclear"),
    ] {
        assert_eq!(permitted(&[task(), patient.clone()]), expected, "{patient}");
    }
}

#[test]
fn a_contained_patient_is_told_by_the_identifier() {
    let about = |contained: Value| {
        let mut main = task();
        main["for"] = json!({ "reference": "#p" });
        main["contained"] = contained;
        permitted(&[main])
    };
    let patient = |id: &str, value: &str| json!({ "resourceType": "Patient", "id": id, "identifier": [{ "system": "urn:mrn", "value": value }] });

    assert_eq!(about(json!([patient("p", "1")])), "permit provision-permit");
    assert_eq!(about(json!([patient("p", "2")])), "hold subject-unclear");
    assert_eq!(
        about(json!([patient("q", "1"), { "resourceType": "Organization", "id": "p" }])),
        "hold subject-unclear"
    );
}

#[test]
fn the_patients_of_an_appointment_are_told_from_its_other_participants() {
    let with = |other: Value| {
        permitted(&[json!({
            "resourceType": "Appointment", "id": "a",
            "participant": [{ "actor": { "reference": "Patient/9" } }, { "actor": other }],
        })])
    };
    let identified = json!({ "type": "Patient", "identifier": { "system": "urn:mrn", "value": "2" } });

    assert_eq!(with(json!({ "reference": "Practitioner/1" })), "permit provision-permit");
    assert_eq!(with(json!({ "reference": "Patient/10" })), "hold subject-unclear");
    assert_eq!(with(identified), "hold subject-unclear");
}

#[test]
fn what_accompanies_is_decided_only_where_it_is_restricted_or_alone_or_the_main_thing() {
    let restricted = labelled(organization(), &[level("R")]);

    assert_eq!(permitted(&[task(), organization()]), "permit provision-permit");
    assert_eq!(permitted(&[task(), restricted]), "hold subject-unclear");
    assert_eq!(permitted(&[organization(), task()]), "hold subject-unclear");
    assert_eq!(permitted(&[bundle("collection", &[organization()])]), "hold subject-unclear");
    assert_eq!(permitted(&[bundle("collection", &[organization(), task()])]), "permit provision-permit");
}

#[test]
fn a_message_header_accompanies_its_message() {
    let header = json!({ "resourceType": "MessageHeader", "id": "h" });

    assert_eq!(permitted(&[bundle("message", &[header, task(), organization()])]), "permit provision-permit");
}

#[test]
fn one_thing_that_cannot_be_decided_holds_all() {
    let mut malformed = task();
    malformed["contained"] = json!({});
    let answered = json!({ "resourceType": "Bundle", "entry": [{ "response": { "status": "200" } }] });
    let outcome = json!({ "resourceType": "Bundle", "entry": [
        { "resource": task(), "response": { "outcome": { "resourceType": "OperationOutcome" } } },
    ]});

    for undecidable in [malformed, answered, outcome] {
        assert_eq!(permitted(&[task(), undecidable.clone()]), "hold nothing-to-decide-on", "{undecidable}");
    }
}

#[test]
fn a_collection_with_nothing_clinical_left_is_not_sent() {
    let without_psy = consent(&json!({
        "type": "permit", "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }],
    }));
    let collection = |code: &str| bundle("collection", &[organization(), observation("o", code)]);
    let denied = Setting::new().sends(&[collection("44249-1")]).consents(&[without_psy]);
    let unnamed = labelled(observation("o", "718-7"), &[about("SUD")]);
    let waiting = bundle("collection", &[organization(), unnamed]);

    assert_eq!(denied.outcome(), "deny provision-deny");
    assert_eq!(permitted(&[waiting]), "hold sensitivity-not-named");
    assert_eq!(permitted(&[collection("718-7")]), "permit provision-permit");
}

#[test]
fn a_rule_on_the_time_does_not_speak_of_what_accompanies() {
    let dated = json!({ "resourceType": "Organization", "id": "lab", "date": "2026-03-01" });
    let recent = json!({ "type": "deny", "dataPeriod": { "start": "2026" } });
    let setting = Setting::new()
        .sends(&[bundle("collection", &[dated, observation("o", "718-7")])])
        .consents(&[consent(&json!({ "type": "permit", "provision": [recent] }))]);

    let outcomes: Vec<String> = setting.trace().nodes.iter().map(|it| it.outcome.to_string()).collect();

    assert_eq!(outcomes, ["released", "denied"]);
}
