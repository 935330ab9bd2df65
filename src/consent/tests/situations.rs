//! Whom a Consent names (consent S7.1).

use serde_json::{Value, json};

use super::fixtures::{NPI, Setting, consent, named};
use crate::consent::disclosure::{Party, Receiver};

fn permitting(actor: &Value) -> Value {
    consent(&json!({ "type": "permit", "actor": actor }))
}

fn denying(actor: &Value) -> Value {
    consent(&json!({ "type": "deny", "actor": actor }))
}

/// What a permit and a deny of an actor answer, under a default that holds.
fn answers(setting: &Setting, actor: &Value) -> [String; 2] {
    [permitting(actor), denying(actor)].map(|it| setting.clone().consents(&[it]).outcome())
}

#[test]
fn a_partner_that_is_known_by_identifier_only_is_found_through_the_directory() {
    let mut setting = Setting::new();
    setting.receiver = Receiver::organization(Party::identified(NPI, "1234567893"));
    let actor = named("Organization/7");

    assert_eq!(answers(&setting, &actor), ["hold provision-may-permit", "hold provision-may-deny"]);

    setting.directory = vec![json!({
        "resourceType": "Organization", "id": "7", "identifier": [{ "system": NPI, "value": "1234567893" }],
    })];
    assert_eq!(answers(&setting, &actor), ["permit provision-permit", "deny provision-deny"]);
}

#[test]
fn an_organisation_above_the_partner_includes_it_and_a_department_may() {
    let mut setting = Setting::new();
    let organization = |id: &str, above: &str| json!({ "resourceType": "Organization", "id": id, "partOf": { "reference": above } });
    setting.directory = vec![
        organization("lakeside", "Organization/network"),
        organization("ward", "Organization/lakeside"),
        organization("sister", "Organization/network"),
    ];
    let of = |name: &str| answers(&setting, &named(name));

    assert_eq!(of("Organization/network"), ["permit provision-permit", "deny provision-deny"]);
    assert_eq!(of("Organization/ward"), ["hold no-consent", "hold provision-may-deny"]);
    assert_eq!(of("Organization/sister"), ["hold no-consent", "hold no-consent"]);
}

#[test]
fn a_person_is_not_the_organisation_but_may_read_there() {
    let mut setting = Setting::new();
    let actor = named("Practitioner/nurse");
    let role = |place: &str| {
        vec![json!({
            "resourceType": "PractitionerRole", "id": "r",
            "practitioner": { "reference": "Practitioner/nurse" }, "organization": { "reference": place },
        })]
    };

    assert_eq!(answers(&setting, &actor), ["hold no-consent", "hold provision-may-deny"]);
    setting.directory = role("Organization/lakeside");
    assert_eq!(answers(&setting, &actor), ["hold no-consent", "hold provision-may-deny"]);
    setting.directory = role("Organization/elsewhere");
    assert_eq!(answers(&setting, &actor), ["hold no-consent", "hold no-consent"]);
}

#[test]
fn a_group_counts_by_its_present_members_up_to_five_levels() {
    let mut setting = Setting::new();
    let group = |id: usize, member: &str| {
        json!({ "resourceType": "Group", "id": id.to_string(), "actual": true,
                "member": [{ "entity": { "reference": member } }] })
    };
    let chain = |levels: usize| -> Vec<Value> {
        (1..levels)
            .map(|it| group(it, &format!("Group/{}", it + 1)))
            .chain([group(levels, "Organization/lakeside")])
            .collect()
    };

    setting.directory = chain(5);
    assert_eq!(answers(&setting, &named("Group/1"))[0], "permit provision-permit");
    setting.directory = chain(6);
    assert_eq!(answers(&setting, &named("Group/1"))[0], "hold provision-may-permit");

    let mut lapsed = group(1, "Organization/lakeside");
    lapsed["member"][0]["period"] = json!({ "end": "2026-03-09" });
    setting.directory = vec![lapsed];
    assert_eq!(answers(&setting, &named("Group/1")), ["hold no-consent", "hold no-consent"]);

    let mut inactive = group(1, "Organization/lakeside");
    inactive["active"] = json!(false);
    setting.directory = vec![inactive];
    assert_eq!(answers(&setting, &named("Group/1")), ["hold no-consent", "hold provision-may-deny"]);
}

#[test]
fn a_group_that_contains_itself_comes_to_an_end() {
    let mut setting = Setting::new();
    setting.directory = vec![json!({
        "resourceType": "Group", "id": "1", "actual": true, "member": [{ "entity": { "reference": "Group/1" } }],
    })];

    assert_eq!(answers(&setting, &named("Group/1"))[0], "hold provision-may-permit");
}

#[test]
fn an_identifier_without_its_system_denies_but_does_not_permit() {
    let actor = |identifier: Value| {
        let mut actor = named("x");
        actor[0]["reference"] = json!({ "identifier": identifier });
        answers(&Setting::new(), &actor)
    };

    assert_eq!(actor(json!({ "value": "1234567893" })), ["hold provision-may-permit", "deny provision-deny"]);
    assert_eq!(actor(json!({ "system": NPI, "value": "1" })), ["hold no-consent", "hold no-consent"]);
}
