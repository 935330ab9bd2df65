//! Which word comes first (consent S4.1, S9), and the clinic's default as the last (S4.4).

use std::time::Duration;

use serde_json::{Value, json};

use super::fixtures::{Setting, about, based, coding, consent, deny, labelled, level, named, permit, task};
use crate::consent::disclosure::{Labelling, Purpose, Source};
use crate::model::policy::{Confidentiality, DefaultDecision};

fn for_research() -> Value {
    labelled(task(), &[coding("v3-ActReason", "HRESCH")])
}

fn about_nobody() -> Value {
    json!({ "resourceType": "Task", "id": "5" })
}

fn unavailable() -> Setting {
    let mut setting = Setting::new().default(DefaultDecision::Permit);
    setting.source = Source::Unavailable;
    setting
}

#[test]
fn a_deny_comes_before_everything_else() {
    let mut setting = unavailable().sends(&[labelled(about_nobody(), &[coding("v3-ActReason", "HRESCH")])]);
    setting.labelling = Labelling::Down;

    assert_eq!(setting.consents(&[permit(), deny()]).outcome(), "deny provision-deny");
}

#[test]
fn data_for_another_purpose_are_denied_even_while_consents_cannot_be_read() {
    assert_eq!(unavailable().sends(&[for_research()]).outcome(), "deny data-for-another-purpose");
}

#[test]
fn what_is_unavailable_comes_before_an_unclear_subject_and_a_consent_in_doubt() {
    let may_deny = consent(&json!({ "type": "deny", "actor": named("Group/unknown") }));

    let unreadable = unavailable().sends(&[about_nobody()]).consents(std::slice::from_ref(&may_deny));
    assert_eq!(unreadable.outcome(), "hold consent-source-unavailable");
    let unclear = Setting::new().sends(&[about_nobody()]).consents(&[may_deny]);
    assert_eq!(unclear.outcome(), "hold subject-unclear");
}

#[test]
fn one_purpose_that_fits_is_enough_among_the_tags_of_data() {
    let tagged = |codes: &[&str]| {
        let tags: Vec<Value> = codes.iter().map(|it| coding("v3-ActReason", it)).collect();
        Setting::new().sends(&[labelled(task(), &tags)]).consents(&[permit()]).outcome()
    };

    assert_eq!(tagged(&["HRESCH", "TREAT"]), "permit provision-permit");
    assert_eq!(tagged(&["PurposeOfUse"]), "permit provision-permit");
    assert_eq!(tagged(&["COC"]), "deny data-for-another-purpose");
    assert_eq!(tagged(&["HTEST", "HRESCH"]), "deny data-for-another-purpose");
    assert_eq!(tagged(&["OF-THE-HOUSE"]), "permit provision-permit");
}

#[test]
fn consents_are_fresh_up_to_the_age_that_the_clinic_allows() {
    let read = |age| {
        let mut setting = Setting::new().consents(&[permit()]);
        setting.clinic.max_staleness = Duration::from_mins(1);
        setting.source = Source::Read { age: Duration::from_secs(age) };
        setting.outcome()
    };

    assert_eq!(read(60), "permit provision-permit");
    assert_eq!(read(61), "hold consents-too-old");
}

#[test]
fn a_default_without_purposes_covers_any() {
    let mut setting = Setting::new().default(DefaultDecision::Permit);
    setting.purpose = Purpose::reason("HMARKT");
    assert_eq!(setting.outcome(), "deny purpose-not-covered");

    setting.clinic.default.purposes = None;
    assert_eq!(setting.outcome(), "permit clinic-default");
}

#[test]
fn a_default_covers_a_purpose_of_another_system_only_by_its_very_code() {
    let for_purpose = |code: &str| {
        let mut setting = Setting::new().default(DefaultDecision::Permit);
        setting.purpose = Purpose { system: "urn:purposes".to_owned(), code: code.to_owned() };
        setting.outcome()
    };

    assert_eq!(for_purpose("TREAT"), "permit clinic-default");
    assert_eq!(for_purpose("COC"), "deny purpose-not-covered");
}

#[test]
fn a_default_does_not_release_what_somebody_asked_to_keep() {
    for code in ["NOAUTH", "NODSCLCD", "NODSCLCDS"] {
        let kept = labelled(task(), &[about(code)]);
        let setting = Setting::new().default(DefaultDecision::Permit).sends(&[kept]);
        assert_eq!(setting.outcome(), "hold sensitivity-not-named", "{code}");
    }
}

#[test]
fn a_default_releases_up_to_the_confidentiality_that_the_clinic_set() {
    let bearing = |label: Value, max: Confidentiality| {
        let mut setting = Setting::new().default(DefaultDecision::Permit);
        setting.clinic.default.max_confidentiality = max;
        setting.sends(&[labelled(task(), &[label])]).outcome()
    };

    assert_eq!(bearing(level("N"), Confidentiality::Normal), "permit clinic-default");
    assert_eq!(bearing(level("R"), Confidentiality::Normal), "hold too-confidential");
    assert_eq!(bearing(level("R"), Confidentiality::Restricted), "permit clinic-default");
    assert_eq!(bearing(about("HIV"), Confidentiality::Restricted), "permit clinic-default");
    assert_eq!(bearing(about("OPIOIDUD"), Confidentiality::VeryRestricted), "hold sensitivity-not-named");
}

#[test]
fn every_sensitivity_that_must_be_named_must_be_named_by_a_permit() {
    let both = labelled(task(), &[about("SUD"), about("PSYTHPN")]);
    let naming =
        |code: &str| consent(&json!({ "type": "permit", "securityLabel": [about(code), level("R")] }));
    let broad = consent(&json!({ "type": "permit", "provision": [
        { "type": "permit", "securityLabel": [about("SUD"), about("PSYTHPN")] },
    ]}));
    let denied_elsewhere = consent(&json!({
        "type": "deny", "securityLabel": [about("SUD")], "actor": named("Organization/other"),
    }));
    let with =
        |consents: &[Value]| Setting::new().sends(std::slice::from_ref(&both)).consents(consents).outcome();

    assert_eq!(with(&[broad]), "permit provision-permit");
    assert_eq!(with(&[naming("SUD")]), "permit provision-permit", "R names everything");
    assert_eq!(with(&[permit(), denied_elsewhere]), "hold sensitivity-not-named");
}

#[test]
fn an_opt_in_covers_treatment_payment_and_operations_and_an_opt_out_everything() {
    let for_purpose = |policy: &str, code: &str| {
        let mut setting = Setting::new().consents(&[based(policy, &Value::Null)]);
        setting.purpose = Purpose::reason(code);
        setting.outcome()
    };

    for code in ["COC", "HPAYMT", "ELIGVER", "CAREMGT"] {
        assert_eq!(for_purpose("OPTIN", code), "permit policy-opt-in", "{code}");
        assert_eq!(for_purpose("OPTINR", code), "permit policy-opt-in", "{code}");
    }
    assert_eq!(for_purpose("OPTIN", "PATRQT"), "hold no-consent");
    for policy in ["OPTOUT", "OPTOUTE"] {
        assert_eq!(for_purpose(policy, "PATRQT"), "deny policy-opt-out", "{policy}");
    }
}

#[test]
fn a_deny_below_an_untyped_root_holds_its_ground_over_any_base() {
    let other = json!({ "type": "deny", "actor": named("Organization/other") });
    let denying = |rule: &Value| json!({ "provision": [rule] });
    let with = |consent: Value| Setting::new().consents(&[consent]).outcome();

    assert_eq!(with(based("OPTIN", &denying(&json!({ "type": "deny" })))), "deny provision-deny");
    assert_eq!(with(based("OPTIN", &denying(&other))), "permit policy-opt-in");
    assert_eq!(with(consent(&denying(&json!({ "type": "deny" })))), "deny provision-deny");
    let in_doubt = json!({ "type": "deny", "actor": named("Group/unknown") });
    assert_eq!(with(based("OPTIN", &denying(&in_doubt))), "hold provision-may-deny");
    assert_eq!(with(based("OPTOUT", &denying(&in_doubt))), "deny policy-opt-out");
}
