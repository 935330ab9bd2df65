//! Organisations, groups and care teams that a Consent names (consent S7.1).

use serde_json::{Value, json};

use super::fixtures::{NPI, Setting, concept, named, observation};
use super::letters::{assert_answers, both};
use crate::consent::disclosure::{Party, Receiver};

fn organization(id: &str, identifiers: &[(&str, &str)], above: Option<&str>) -> Value {
    let identifiers: Vec<Value> =
        identifiers.iter().map(|(system, value)| json!({ "system": system, "value": value })).collect();
    let mut record = json!({ "resourceType": "Organization", "id": id, "identifier": identifiers });
    if let Some(above) = above {
        record["partOf"] = json!({ "reference": above });
    }
    record
}

fn identified(system: &str, value: &str) -> Value {
    let mut actor = named("x");
    actor[0]["reference"] = json!({ "identifier": { "system": system, "value": value } });
    actor
}

fn in_role(role: &str, reference: &str) -> Value {
    json!({ "role": concept("v3-ParticipationType", role), "reference": { "reference": reference } })
}

#[test]
fn a_record_is_the_partners_only_by_system_and_value_of_an_identifier() {
    let mut setting = Setting::new();
    setting.receiver = Receiver::organization(Party::identified(NPI, "1234567893"));
    setting.directory = vec![
        organization("same", &[(NPI, "1234567893")], Some("Organization/network")),
        organization("other", &[(NPI, "1")], Some("Organization/elsewhere")),
        organization("foreign", &[("urn:other", "1234567893")], None),
    ];
    assert_eq!(both(&setting, &json!({ "actor": named("Organization/network") })), "P D");

    setting.directory.remove(0);
    assert_answers(
        &setting,
        "actor",
        &[
            (named("Organization/other"), "N N"),
            (named("Organization/elsewhere"), "HP HD"),
            (named("Organization/foreign"), "HP HD"),
            (identified("urn:unknown", "5"), "HP HD"),
        ],
    );
}

#[test]
fn organisations_above_are_followed_thirty_two_levels() {
    let mut setting = Setting::new();
    let above = |level: usize| format!("Organization/{level}");
    setting.directory = (1..40).map(|it| organization(&it.to_string(), &[], Some(&above(it + 1)))).collect();
    setting.directory.push(organization("lakeside", &[], Some("Organization/1")));

    assert_eq!(both(&setting, &json!({ "actor": named("Organization/32") })), "P D");
    assert_eq!(both(&setting, &json!({ "actor": named("Organization/33") })), "N N");
}

#[test]
fn an_address_is_local_only_if_it_is_a_resource_below_the_clinics_base() {
    assert_answers(
        &Setting::new(),
        "actor",
        &[
            (named("https://clinic.example/fhir/Organization/lakeside"), "P D"),
            (named("https://clinic.example/fhir/Organization?identifier=1"), "HP HD"),
            (named("https://clinic.example/fhirs/Organization/lakeside"), "HP HD"),
        ],
    );
}

#[test]
fn a_partner_that_is_known_by_a_foreign_address_is_named_by_that_address_only() {
    let mut setting = Setting::new();
    setting.receiver.organization.reference = Some("https://partner.example/Organization/1".to_owned());

    assert_answers(
        &setting,
        "actor",
        &[
            (named("https://partner.example/Organization/1"), "P D"),
            (named("https://partner.example/Organization/2"), "HP HD"),
        ],
    );
}

#[test]
fn a_contained_organisation_is_told_by_its_identifier() {
    let with = |id: &str| {
        let mut consent = super::fixtures::consent(&json!({ "type": "deny", "actor": named("#o") }));
        consent["contained"] = json!([organization(id, &[(NPI, "1234567893")], None)]);
        Setting::new().consents(&[consent]).outcome()
    };

    assert_eq!(with("o"), "deny provision-deny");
    assert_eq!(with("other"), "hold provision-may-deny");
}

#[test]
fn a_group_can_be_named_by_its_identifier() {
    let mut setting = Setting::new();
    setting.directory = vec![json!({
        "resourceType": "Group", "id": "g", "actual": true, "identifier": [{ "system": "urn:g", "value": "1" }],
        "member": [{ "entity": { "reference": "Organization/lakeside" } }],
    })];

    assert_answers(
        &setting,
        "actor",
        &[(identified("urn:g", "1"), "P D"), (identified("urn:g", "2"), "HP HD")],
    );
}

#[test]
fn a_group_without_listed_members_cannot_be_told() {
    let mut setting = Setting::new();
    let mut group = json!({
        "resourceType": "Group", "id": "g", "actual": false,
        "member": [{ "entity": { "reference": "Organization/lakeside" } }],
    });
    setting.directory = vec![group.clone()];
    assert_eq!(both(&setting, &json!({ "actor": named("Group/g") })), "HP HD");

    group["actual"] = json!(true);
    group["member"] = json!([]);
    setting.directory = vec![group];
    assert_eq!(both(&setting, &json!({ "actor": named("Group/g") })), "HP HD");
}

#[test]
fn a_care_team_counts_by_its_participants_and_for_whom_they_act_while_it_is_active() {
    let mut setting = Setting::new();
    let team = |status: &str, element: &str| {
        vec![json!({
            "resourceType": "CareTeam", "id": "t", "status": status,
            "participant": [{ element: { "reference": "Organization/lakeside" } }],
        })]
    };
    for (status, element, expected) in
        [("active", "member", "P D"), ("active", "onBehalfOf", "P D"), ("inactive", "member", "N HD")]
    {
        setting.directory = team(status, element);
        assert_eq!(both(&setting, &json!({ "actor": named("CareTeam/t") })), expected, "{status} {element}");
    }
}

#[test]
fn every_kind_of_actor_in_a_permit_must_match_and_any_actor_of_a_deny() {
    let setting = Setting::new().sends(&[observation("o", "718-7")]);
    let recipient = in_role("IRCP", "Organization/lakeside");
    let clinic = in_role("CST", "Organization/clinic");
    let author = in_role("AUT", "Practitioner/author");
    let stranger = |role: &str| in_role(role, "Practitioner/stranger");

    assert_answers(
        &setting,
        "actor",
        &[
            (json!([clinic]), "P D"),
            (json!([author]), "P D"),
            (json!([recipient, clinic, author]), "P D"),
            (json!([recipient, clinic, stranger("AUT")]), "N D"),
            (json!([in_role("CST", "Organization/other"), recipient]), "N D"),
            (json!([stranger("AUT"), author, recipient]), "P D"),
            (json!([in_role("WIT", "Organization/lakeside")]), "N D"),
        ],
    );
}
