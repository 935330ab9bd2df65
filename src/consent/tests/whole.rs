//! What the outcomes of all parts mean for the whole, and what the record says of it (consent S8).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, labelled, observation, permit, task};

fn organization() -> Value {
    json!({ "resourceType": "Organization", "id": "lab" })
}

fn without_psy() -> Value {
    consent(&json!({ "type": "permit", "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }] }))
}

fn without_author() -> Value {
    let authored = json!({ "meaning": "authoredby", "reference": { "display": "somebody" } });
    consent(&json!({ "type": "permit", "provision": [{ "type": "deny", "data": [authored] }] }))
}

fn bundle(kind: &str, resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|it| json!({ "resource": it })).collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn composition() -> Value {
    json!({ "resourceType": "Composition", "id": "c", "subject": { "reference": "Patient/9" } })
}

fn psychiatric() -> Value {
    observation("psy", "44249-1")
}

fn sent(consent: Value, resources: &[Value]) -> String {
    Setting::new().sends(resources).consents(&[consent]).outcome()
}

#[test]
fn a_signed_whole_from_which_nothing_is_taken_goes() {
    let mut signed = bundle("collection", &[observation("o", "718-7")]);
    signed["signature"] = json!({ "when": "2026-03-01T00:00:00Z" });

    assert_eq!(sent(without_psy(), &[signed]), "permit provision-permit");
}

#[test]
fn a_signature_on_anything_that_is_sent_along_keeps_the_whole() {
    let mut signed = bundle("collection", &[observation("o", "718-7")]);
    signed["signature"] = json!({ "when": "2026-03-01T00:00:00Z" });

    assert_eq!(sent(without_psy(), &[task(), signed, psychiatric()]), "deny signed-whole");
}

#[test]
fn the_rule_of_a_release_is_that_of_the_first_clinical_thing_that_goes() {
    let led_by_an_organization = bundle("collection", &[organization(), observation("o", "718-7")]);
    let led_by_a_denied_one = bundle("collection", &[psychiatric(), observation("o", "718-7")]);

    assert_eq!(sent(without_psy(), &[led_by_an_organization]), "permit provision-permit");
    assert_eq!(sent(without_psy(), &[led_by_a_denied_one]), "redact provision-permit");
}

#[test]
fn what_leads_a_document_or_message_decides_for_all_of_it() {
    let psychiatric_letter = labelled(composition(), &[about("PSY")]);
    let unnamed_letter = labelled(composition(), &[about("SUD")]);
    let mut unclear_letter = composition();
    unclear_letter["subject"] = json!({ "display": "somebody" });
    let rest = observation("o", "718-7");
    for kind in ["document", "message"] {
        for (letter, expected) in [
            (composition(), "permit provision-permit"),
            (psychiatric_letter.clone(), "deny provision-deny"),
            (unnamed_letter.clone(), "hold sensitivity-not-named"),
            (unclear_letter.clone(), "hold subject-unclear"),
        ] {
            assert_eq!(sent(without_psy(), &[bundle(kind, &[letter, rest.clone()])]), expected, "{kind}");
        }
    }
    let collection = bundle("collection", &[psychiatric_letter, rest]);
    assert_eq!(sent(without_psy(), &[collection]), "redact provision-permit");
}

#[test]
fn only_the_first_entry_of_a_document_leads_it() {
    let document = bundle("document", &[composition(), psychiatric()]);

    assert_eq!(sent(without_psy(), &[document]), "redact provision-permit");
}

#[test]
fn one_doubt_holds_a_whole_that_could_go_without_the_denied() {
    let mut undated = observation("o", "718-7");
    undated.as_object_mut().unwrap().shift_remove("performer");
    let collection = bundle("collection", &[observation("p", "718-7"), undated]);

    assert_eq!(sent(without_author(), &[collection]), "hold provision-may-deny");
}

#[test]
fn a_doubt_about_a_part_of_what_is_denied_holds_nothing() {
    let mut text =
        json!({ "resourceType": "Observation", "id": "c", "subject": { "reference": "Patient/9" } });
    text["note"] = json!([{ "text": "…" }]);
    let mut denied = labelled(observation("psy", "718-7"), &[about("PSY")]);
    denied["contained"] = json!([text]);
    let mut kept = observation("o", "718-7");
    kept["contained"] = denied["contained"].clone();

    assert_eq!(sent(without_psy(), &[task(), denied]), "redact provision-permit");
    assert_eq!(sent(without_psy(), &[task(), kept]), "hold provision-may-deny");
}

#[test]
fn a_collection_is_denied_if_anything_in_it_was_and_waits_only_if_all_of_it_does() {
    let waiting = || labelled(observation("sud", "718-7"), &[about("SUD")]);
    let mixed = bundle("collection", &[waiting(), psychiatric()]);
    let all_waiting = bundle("collection", &[organization(), waiting(), waiting()]);

    assert_eq!(sent(without_psy(), &[mixed]), "deny provision-deny");
    assert_eq!(sent(without_psy(), &[all_waiting]), "hold sensitivity-not-named");
    assert_eq!(sent(permit(), &[bundle("collection", &[])]), "hold nothing-to-decide-on");
}

#[test]
fn a_companion_without_its_named_consent_stays_behind() {
    let substance_use = labelled(observation("sud", "718-7"), &[about("SUD")]);
    let setting = Setting::new().sends(&[task(), substance_use]).consents(&[permit()]);

    assert_eq!(setting.outcome(), "redact provision-permit");
    let crate::consent::permit::Decision::Permit(permit) = setting.decide() else { panic!("held") };
    assert_eq!(permit.removals().iter().map(|it| it.number).collect::<Vec<_>>(), [1]);
    assert!(permit.obligations().is_empty(), "the notice is for what goes");
}

#[test]
fn a_certain_deny_takes_even_an_organisation_out_and_doubt_does_not() {
    let resource_types = "http://hl7.org/fhir/resource-types";
    let denying = |class: Value| {
        consent(&json!({ "type": "permit", "provision": [{ "type": "deny", "class": [class] }] }))
    };
    let organizations = denying(json!({ "system": resource_types, "code": "Organization" }));
    let collection = [bundle("collection", &[organization(), observation("o", "718-7")])];

    assert_eq!(sent(organizations, &collection), "redact provision-permit");
    let unknown =
        Setting::new().sends(&collection).consents(&[denying(json!({ "system": "urn:x" }))]).trace();
    assert_eq!(unknown.nodes.iter().map(|it| &*it.outcome).collect::<Vec<_>>(), ["released", "uncertain"]);
}

#[test]
fn every_decision_names_the_versions_of_the_consents_that_it_saw() {
    for resources in [vec![task()], vec![], vec![json!({ "resourceType": "Task" })]] {
        let decision = Setting::new().sends(&resources).consents(&[permit(), without_psy()]).decide();
        assert_eq!(decision.note().consents, ["Consent/c1/_history/2", "Consent/c1/_history/2"]);
    }
}
