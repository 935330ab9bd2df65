//! People and their roles that a Consent names (consent S7.1).

use serde_json::{Value, json};

use super::fixtures::{NPI, Setting, named, permit};
use super::letters::{assert_answers, both};
use crate::consent::disclosure::{Party, Receiver};

fn at(reference: &str) -> Party {
    Party { reference: Some(reference.to_owned()), identifiers: Vec::new() }
}

fn role(practitioner: &str, place: &str) -> Value {
    json!({
        "resourceType": "PractitionerRole", "id": "r",
        "practitioner": { "reference": practitioner }, "organization": { "reference": place },
    })
}

fn named_role() -> Value {
    json!({ "actor": named("PractitionerRole/r") })
}

/// A delivery to a nurse at Lakeside.
fn to_nurse() -> Setting {
    let mut setting = Setting::new();
    setting.receiver.practitioner = Some(at("Practitioner/nurse"));
    setting
}

#[test]
fn a_delivery_to_nobody_is_held() {
    let mut setting = Setting::new().consents(&[permit()]);
    setting.receiver = Receiver::default();
    assert_eq!(setting.outcome(), "hold recipient-unclear");

    setting.receiver.practitioner = Some(at("Practitioner/nurse"));
    assert_eq!(setting.outcome(), "permit provision-permit");
}

#[test]
fn a_person_who_receives_is_named_and_so_is_the_role() {
    assert_eq!(both(&to_nurse(), &json!({ "actor": named("Practitioner/nurse") })), "P D");
    assert_eq!(both(&to_nurse(), &json!({ "actor": named("Practitioner/other") })), "N N");

    let mut setting = Setting::new();
    setting.receiver.practitioner_role = Some(at("PractitionerRole/r"));
    assert_eq!(both(&setting, &named_role()), "P D");
}

#[test]
fn a_person_with_the_partners_own_identifier_is_the_partner() {
    let mut setting = Setting::new();
    for (system, value, expected) in
        [(NPI, "1234567893", "P D"), (NPI, "1", "N HD"), ("urn:other", "1234567893", "N HD")]
    {
        setting.directory = vec![json!({
            "resourceType": "Practitioner", "id": "nurse", "identifier": [{ "system": system, "value": value }],
        })];
        let answer = both(&setting, &json!({ "actor": named("Practitioner/nurse") }));
        assert_eq!(answer, expected, "{system} {value}");
    }
    // The same where only the payload tells who that is.
    setting.directory.clear();
    setting.resources.push(json!({
        "resourceType": "Practitioner", "id": "nurse", "identifier": [{ "system": NPI, "value": "1234567893" }],
    }));
    assert_eq!(both(&setting, &json!({ "actor": named("Practitioner/nurse") })), "P D");
}

#[test]
fn the_roles_of_others_tell_nothing_about_a_person() {
    let mut setting = Setting::new();
    setting.directory = vec![role("Practitioner/other", "Organization/elsewhere")];

    assert_eq!(both(&setting, &json!({ "actor": named("Practitioner/nurse") })), "N HD");
}

#[test]
fn a_role_at_the_organisation_is_not_the_organisation_but_may_read_there() {
    let mut setting = Setting::new();
    assert_eq!(both(&setting, &named_role()), "HP HD");
    setting.directory = vec![role("Practitioner/nurse", "Organization/lakeside")];
    assert_eq!(both(&setting, &named_role()), "N HD");
    setting.directory = vec![role("Practitioner/nurse", "Organization/elsewhere")];
    assert_eq!(both(&setting, &named_role()), "N N");
}

#[test]
fn a_role_names_its_person_at_its_place() {
    let mut setting = to_nurse();
    for (person, place, expected) in [
        ("Practitioner/nurse", "Organization/lakeside", "P D"),
        ("Practitioner/nurse", "Organization/elsewhere", "N HD"),
        ("Practitioner/other", "Organization/lakeside", "N N"),
        ("Practitioner/nurse", "https://elsewhere.example/Organization/1", "HP HD"),
        ("https://elsewhere.example/Practitioner/1", "Organization/lakeside", "HP HD"),
    ] {
        setting.directory = vec![role(person, place)];
        assert_eq!(both(&setting, &named_role()), expected, "{person} {place}");
    }
}

#[test]
fn a_role_that_has_ended_may_still_deny_its_own_person() {
    let mut setting = to_nurse();
    for (person, expected) in [("Practitioner/nurse", "N HD"), ("Practitioner/other", "N N")] {
        let mut ended = role(person, "Organization/lakeside");
        ended["active"] = json!(false);
        setting.directory = vec![ended];
        assert_eq!(both(&setting, &named_role()), expected, "{person}");
    }
}

#[test]
fn a_role_is_matched_by_foreign_addresses_too() {
    let (person, place) =
        ("https://partner.example/Practitioner/1", "https://partner.example/Organization/1");
    let mut setting = Setting::new();
    setting.receiver = Receiver { practitioner: Some(at(person)), ..Receiver::organization(at(place)) };
    setting.directory = vec![role(person, place)];

    assert_eq!(both(&setting, &named_role()), "P D");
}

#[test]
fn a_purpose_permits_what_lies_below_it_and_may_deny_what_lies_above_it() {
    let reason = |code: &str| json!([{ "system": crate::consent::purpose::ACT_REASON, "code": code }]);
    let local = |code: &str| json!([{ "system": "urn:local", "code": code }]);
    let mut setting = Setting::new();

    assert_answers(
        &setting,
        "purpose",
        &[
            (reason("TREAT"), "P D"),
            (reason("PurposeOfUse"), "P D"),
            (reason("HPAYMT"), "N N"),
            (reason("ETREAT"), "N HD"),
            (reason("TREATMENT"), "N HD"),
            (local("TREAT"), "N HD"),
        ],
    );
    setting.purpose.system = "urn:local".to_owned();
    assert_answers(
        &setting,
        "purpose",
        &[(local("TREAT"), "P D"), (local("HPAYMT"), "N HD"), (reason("TREAT"), "N HD")],
    );
}

#[test]
fn a_permit_must_list_the_action_and_a_deny_of_a_part_of_it_denies_it() {
    let action = |code: &str| json!([super::fixtures::concept("consentaction", code)]);

    assert_answers(
        &Setting::new(),
        "action",
        &[
            (action("disclose"), "P D"),
            (action("access"), "N D"),
            (action("collect"), "N D"),
            (action("use"), "N D"),
            (action("correct"), "N N"),
            (action("sell"), "N HD"),
            (json!([{ "text": "disclose" }]), "N HD"),
            (json!([{ "coding": [{ "system": "urn:local", "code": "disclose" }] }]), "N HD"),
        ],
    );
}
