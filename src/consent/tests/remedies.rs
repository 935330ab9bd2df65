//! What would release it: every remedy does what it says, and none is missing where one change helps.

use serde_json::{Value, json};

use super::fixtures::{
    Setting, about, based, coding, consent, deny, labelled, named, observation, permit, task,
};
use super::traced_cases::{settings, shared_cases};
use crate::consent::case::Case;
use crate::consent::disclosure::{Disclosure, Labelling, Source};
use crate::consent::explain::explain;
use crate::consent::remedies::change::Change;
use crate::consent::remedies::{Remedy, find};
use crate::consent::{decide, examine, version_of};
use crate::model::policy::DefaultDecision;

fn remedies(setting: &Setting) -> Vec<Remedy> {
    let disclosure = setting.disclosure();
    find(&disclosure, &examine(&disclosure).1)
}

fn told(setting: &Setting) -> String {
    let disclosure = setting.disclosure();
    let (_, mut trace) = examine(&disclosure);
    trace.remedies = find(&disclosure, &trace);
    explain(&trace)
}

fn with_id(mut consent: Value, id: &str) -> Value {
    consent["id"] = json!(id);
    consent
}

fn inactive(id: &str) -> Change {
    Change::ConsentInactive { consent: format!("Consent/{id}/_history/2") }
}

fn new_consent(names: &[&str]) -> Change {
    Change::NewConsent {
        recipient: "Organization/lakeside".to_owned(),
        purpose: "TREAT".to_owned(),
        names: names.iter().map(|it| (*it).to_owned()).collect(),
    }
}

fn one(change: Change) -> Remedy {
    Remedy { changes: vec![change], outcome: "permit".into() }
}

#[test]
fn what_goes_needs_no_remedy() {
    assert_eq!(remedies(&Setting::new().consents(&[permit()])), []);
}

#[test]
fn a_denial_beside_a_permission_would_have_to_be_inactive() {
    let setting = Setting::new().consents(&[with_id(deny(), "no"), permit()]);

    assert_eq!(remedies(&setting), [one(inactive("no"))]);
    assert!(told(&setting).contains("It would go if Consent/no/_history/2 were made inactive."));
}

#[test]
fn two_denials_would_have_to_be_inactive_together() {
    let setting = Setting::new().consents(&[with_id(deny(), "a"), permit(), with_id(deny(), "b")]);

    assert_eq!(
        remedies(&setting),
        [Remedy { changes: vec![inactive("a"), inactive("b")], outcome: "permit".into() }]
    );
}

#[test]
fn a_denial_alone_under_a_default_that_waits_takes_a_new_consent_too() {
    let setting = Setting::new().consents(&[with_id(deny(), "no")]);

    assert_eq!(
        remedies(&setting),
        [Remedy { changes: vec![inactive("no"), new_consent(&[])], outcome: "permit".into() }]
    );
}

#[test]
fn a_criterion_that_does_not_match_is_told_with_its_rule_and_value() {
    let setting = Setting::new().consents(&[consent(&json!({
        "type": "permit",
        "purpose": [coding("v3-ActReason", "HPAYMT")],
    }))]);
    let purpose = Change::CriterionMet {
        rule: "Consent/c1#".to_owned(),
        element: "purpose".into(),
        value: "HPAYMT".to_owned(),
    };

    assert_eq!(remedies(&setting), [one(purpose), one(new_consent(&[]))]);
    assert!(told(&setting).contains("the purpose of Consent/c1# were met or left out (HPAYMT)"));
}

#[test]
fn a_nested_rule_that_denies_could_be_taken_out() {
    let setting = Setting::new().sends(&[observation("o", "44249-1")]).consents(&[consent(&json!({
        "type": "permit",
        "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }],
    }))]);

    assert_eq!(remedies(&setting), [one(Change::RuleTakenOut { rule: "Consent/c1#0".to_owned() })]);
}

#[test]
fn an_untyped_root_that_limits_an_opt_in_could_lose_what_limits_it() {
    let setting =
        Setting::new().consents(&[based("OPTIN", &json!({ "actor": named("Organization/other") }))]);
    let found = remedies(&setting);

    assert!(
        matches!(&found[0].changes[..], [Change::CriterionMet { rule, element, .. }]
            if rule == "Consent/c1#" && element == "actor"),
        "{found:?}"
    );
}

#[test]
fn what_must_be_named_would_go_by_a_consent_that_names_it() {
    let sensitive = labelled(task(), &[about("PSYTHPN"), about("HIV")]);
    let setting = Setting::new().sends(&[sensitive]).consents(&[permit()]);

    assert_eq!(remedies(&setting), [one(new_consent(&["PSYTHPN"]))]);
    assert!(
        told(&setting).contains(
            "a new Consent that permits Organization/lakeside to get it for TREAT and names PSYTHPN"
        )
    );
}

#[test]
fn an_outage_is_told_as_what_would_have_to_work() {
    let mut setting = Setting::new().consents(&[permit()]);
    setting.source = Source::Unavailable;
    assert_eq!(remedies(&setting), [one(Change::ConsentsRead)]);

    setting.source = Source::READ_NOW;
    setting.labelling = Labelling::Down;
    assert_eq!(remedies(&setting), [one(Change::LabellingWorks)]);

    setting.source = Source::Unavailable;
    assert_eq!(
        remedies(&setting),
        [Remedy { changes: vec![Change::ConsentsRead, Change::LabellingWorks], outcome: "permit".into() }]
    );
}

#[test]
fn of_what_goes_in_part_the_remedies_release_the_rest() {
    let sensitive = labelled(observation("o", "718-7"), &[about("PSYTHPN")]);
    let setting = Setting::new().sends(&[task(), sensitive]).consents(&[permit()]);
    assert_eq!(setting.outcome(), "redact provision-permit");

    assert_eq!(remedies(&setting), [one(new_consent(&["PSYTHPN"]))]);
    assert!(told(&setting).contains("The rest would go too if the patient gave a new Consent"));
}

#[test]
fn nothing_helps_where_it_is_about_somebody_else() {
    let other = json!({ "resourceType": "Task", "for": { "reference": "Patient/10" } });

    assert_eq!(remedies(&Setting::new().default(DefaultDecision::Permit).sends(&[other])), []);
}

/// Makes every remedy that only makes Consents inactive, by itself, and decides again.
fn check(disclosure: &Disclosure<'_>) -> usize {
    let (decision, trace) = examine(disclosure);
    let found = find(disclosure, &trace);
    assert_eq!(found, find(disclosure, &trace), "the same question has the same remedies");
    let mut checked = 0;
    for remedy in &found {
        let is_inactive = |consent: &Value| {
            remedy.changes.contains(&Change::ConsentInactive { consent: version_of(consent) })
        };
        if !remedy.changes.iter().all(|it| matches!(it, Change::ConsentInactive { .. })) {
            continue;
        }
        let mut changed = disclosure.consents.to_vec();
        changed.iter_mut().filter(|it| is_inactive(it)).for_each(|it| it["status"] = json!("inactive"));
        let after = decide(&Disclosure { consents: &changed, ..disclosure.clone() });
        assert!(matches!(after.note().outcome, "permit" | "redact"), "{remedy:?}");
        assert_ne!(after.note().outcome, decision.note().outcome, "{remedy:?}");
        checked += 1;
    }
    checked
}

#[test]
fn every_consent_that_a_remedy_makes_inactive_releases_indeed() {
    let own: usize = settings().iter().map(|it| check(&it.disclosure())).sum();
    assert!(own > 5, "{own} remedies are checked");
    for case in shared_cases() {
        check(&Case::read(&case).unwrap().disclosure());
    }
}

#[test]
fn a_decision_with_a_trace_is_the_decision_without() {
    let agree = |disclosure: &Disclosure<'_>| {
        let (with, trace) = examine(disclosure);
        let without = decide(disclosure);
        assert_eq!(with.note(), without.note());
        assert_eq!(format!("{with:?}"), format!("{without:?}"));
        assert_eq!(trace.outcome, without.note().outcome);
        assert_eq!(trace.rule, without.note().rule);
    };
    for setting in settings() {
        agree(&setting.disclosure());
    }
    for case in shared_cases() {
        agree(&Case::read(&case).unwrap().disclosure());
    }
}

#[test]
fn what_is_very_restricted_goes_under_a_new_consent_that_names_it() {
    let secret = labelled(observation("o", "718-7"), &[about("SUD"), coding("v3-Confidentiality", "V")]);

    let found = remedies(&Setting::new().sends(&[secret]));

    assert_eq!(found[0].changes, [new_consent(&["SUD"])]);
}

#[test]
fn what_would_only_go_in_part_is_told_so() {
    let plain = observation("o1", "718-7");
    let secret = labelled(observation("o2", "718-7"), &[about("PSY")]);
    let denial = consent(&json!({ "type": "deny", "securityLabel": [about("PSY")] }));

    let text = told(&Setting::new().sends(&[plain, secret]).consents(&[denial]));

    assert!(text.contains("It would go in part if"), "{text}");
}
