//! Labels that a rule names, and what the clinic's lists tell (consent S7.4 and (b)).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, coding, consent, labelled, level, observation, permit, task};
use super::letters::assert_answers;
use crate::consent::labels::lists::SensitivityLists;

fn bearing(labels: &[Value]) -> Setting {
    Setting::new().sends(&[labelled(task(), labels)])
}

fn local() -> Value {
    json!({ "system": "urn:labels", "code": "a" })
}

#[test]
fn a_level_permits_up_to_itself_and_denies_from_itself() {
    let of = |named: &str| json!([level(named)]);

    assert_answers(
        &bearing(&[level("R")]),
        "securityLabel",
        &[(of("N"), "X D"), (of("R"), "P D"), (of("V"), "P N")],
    );
    assert_answers(&bearing(&[level("N")]), "securityLabel", &[(of("N"), "P D"), (of("R"), "P N")]);
}

#[test]
fn a_permit_must_name_every_sensitivity_or_the_restricted_level() {
    let setting = bearing(&[about("PSY"), about("HIV")]);

    assert_answers(
        &setting,
        "securityLabel",
        &[
            (json!([about("PSY")]), "X D"),
            (json!([about("PSY"), about("HIV")]), "P D"),
            (json!([about("PSY"), level("R")]), "P D"),
            (json!([level("N")]), "X D"),
            (json!([about("VIO")]), "X N"),
        ],
    );
}

#[test]
fn the_restricted_level_names_what_must_be_named() {
    let with = |label: Value| {
        let consent = consent(&json!({ "type": "permit", "securityLabel": [label] }));
        bearing(&[about("SUD")]).consents(&[consent]).outcome()
    };

    assert_eq!(with(level("R")), "permit provision-permit");
    assert_eq!(with(about("SUD")), "permit provision-permit");
    assert_eq!(with(about("HIV")), "deny provision-does-not-cover");
}

#[test]
fn a_label_of_another_kind_covers_ordinary_data_that_bears_it() {
    let mut setting = bearing(&[level("N"), local()]);
    setting.clinic.known_label_systems = vec!["urn:labels".to_owned()];
    let restricted = Setting { resources: bearing(&[level("R"), local()]).resources, ..setting.clone() };
    let without = Setting { resources: bearing(&[level("N")]).resources, ..setting.clone() };
    let unlabelled = Setting { resources: vec![task()], ..setting.clone() };

    for (setting, expected) in
        [(setting, "P D"), (restricted, "X D"), (without, "X N"), (unlabelled, "HP HD")]
    {
        assert_answers(&setting, "securityLabel", &[(json!([local()]), expected)]);
    }
}

#[test]
fn a_label_that_nobody_would_apply_cannot_be_told() {
    let observation_value = json!([coding("v3-ObservationValue", "SUBSETTED")]);

    assert_answers(
        &bearing(&[level("N")]),
        "securityLabel",
        &[
            (json!([local()]), "HP HD"),
            (observation_value, "X N"),
            (json!([about("GDIS")]), "X N"),
            (json!([about("PSY")]), "X N"),
        ],
    );
    assert_answers(
        &Setting::new(),
        "securityLabel",
        &[(json!([about("GDIS")]), "X HD"), (json!([about("PSY")]), "X N")],
    );
}

#[test]
fn a_place_tells_what_its_data_are_about_and_so_does_a_code_in_an_extension() {
    let lists = r#"{ "version": "7", "source": "", "rules": [
        { "sensitivity": "HIV", "systems": ["urn:s"], "codes": ["exact"], "prefixes": ["B2"] }
    ], "places": [{ "sensitivity": "PSY", "references": ["Organization/programme"] }] }"#;
    let mut setting = Setting::new().consents(&[permit()]);
    setting.clinic.lists = SensitivityLists::parse(lists).unwrap();
    let sensitivities = |resource: Value| {
        let trace = setting.clone().sends(&[resource]).trace();
        assert_eq!(trace.lists, "7");
        trace.nodes[0].labels.iter().map(|it| format!("{} {}", it.label, it.from)).collect::<Vec<_>>()
    };
    let with = |element: &str, value: Value| {
        let mut resource = observation("o", "718-7");
        resource[element] = value;
        resource
    };
    let coded = |system: &str, code: &str| {
        with("category", json!([{ "coding": [{ "system": system, "code": code }] }]))
    };
    let programme = json!([{ "reference": "Organization/programme" }]);

    assert_eq!(sensitivities(with("performer", programme.clone())), ["PSY Organization/programme"]);
    assert_eq!(sensitivities(with("performer", json!([{ "reference": "Organization/x" }]))), [""; 0]);
    let contained = json!([{ "resourceType": "Observation", "id": "i", "performer": programme }]);
    assert_eq!(sensitivities(with("contained", contained)), [""; 0]);
    assert_eq!(sensitivities(coded("urn:s", "B20")), ["HIV urn:s|B20"]);
    assert_eq!(sensitivities(coded("urn:s", "exact")), ["HIV urn:s|exact"]);
    assert_eq!(sensitivities(coded("urn:s", "A20")), [""; 0]);
    assert_eq!(sensitivities(coded("urn:other", "B20")), [""; 0]);
    let extension = json!([{ "url": "urn:x", "valueCoding": { "system": "urn:s", "code": "B20" } }]);
    assert_eq!(sensitivities(with("extension", extension)), ["HIV urn:s|B20"]);
}

#[test]
fn a_label_of_the_clinics_own_is_another_if_its_code_is_another() {
    let own = |code: &str| json!({ "system": "urn:clinic:label", "code": code });
    let mut setting = Setting::new()
        .sends(&[labelled(task(), &[level("N"), own("one")])])
        .consents(&[consent(&json!({ "type": "permit", "securityLabel": [own("two")] }))]);
    setting.clinic.known_label_systems = vec!["urn:clinic:label".to_owned()];

    assert!(!setting.outcome().starts_with("permit"), "{}", setting.outcome());
}
