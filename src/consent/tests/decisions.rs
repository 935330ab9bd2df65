//! Base policies, rules and what is sent (consent S3 to S9).

use std::time::Duration;

use serde_json::{Value, json};

use super::fixtures::{
    Setting, about, based, coding, consent, deny, labelled, level, named, observation, permit, task,
};
use crate::consent::disclosure::{Labelling, Purpose, Source};
use crate::consent::permit::{Decision, Obligation};
use crate::model::policy::DefaultDecision;

fn with(consents: &[Value]) -> String {
    Setting::new().default(DefaultDecision::Permit).consents(consents).outcome()
}

#[test]
fn a_root_provision_decides_by_its_type() {
    assert_eq!(with(&[permit()]), "permit provision-permit");
    assert_eq!(with(&[deny()]), "deny provision-deny");
}

#[test]
fn a_policy_rule_decides_where_there_is_no_provision() {
    assert_eq!(with(&[based("OPTIN", &Value::Null)]), "permit policy-opt-in");
    assert_eq!(with(&[based("OPTOUT", &Value::Null)]), "deny policy-opt-out");
    assert_eq!(with(&[based("EMRGONLY", &Value::Null)]), "deny policy-emergency-only");
    assert_eq!(with(&[based("hipaa-auth", &Value::Null)]), "hold policy-unknown");
}

#[test]
fn an_opt_in_says_nothing_about_research() {
    let mut setting = Setting::new().consents(&[based("OPTIN", &Value::Null)]);
    setting.purpose = Purpose::reason("HRESCH");

    assert_eq!(setting.outcome(), "hold no-consent");
}

#[test]
fn an_opt_in_with_a_restriction_permits_the_rest() {
    let consent = based("OPTINR", &json!({ "type": "deny", "actor": named("Organization/other") }));

    assert_eq!(with(&[consent]), "permit policy-opt-in");
}

#[test]
fn an_untyped_root_that_narrows_an_opt_in_holds() {
    let narrowed = based("OPTIN", &json!({ "actor": named("Organization/other") }));
    let with_permit = based(
        "OPTIN",
        &json!({ "provision": [
            { "type": "permit", "actor": named("Organization/other") },
        ]}),
    );

    assert_eq!(with(&[narrowed]), "hold policy-opt-in");
    assert_eq!(with(&[with_permit]), "hold policy-opt-in");
}

#[test]
fn an_opt_out_under_an_untyped_root_denies_what_no_exception_permits() {
    let excepting =
        |actor: &str| based("OPTOUT", &json!({ "provision": [{ "type": "permit", "actor": named(actor) }] }));

    assert_eq!(with(&[excepting("Organization/lakeside")]), "permit provision-permit");
    assert_eq!(with(&[excepting("Organization/other")]), "deny policy-opt-out");
    assert_eq!(with(&[excepting("Group/unknown")]), "hold policy-opt-out");
}

#[test]
fn an_unreadable_source_holds_a_permission_and_keeps_a_denial() {
    let mut setting = Setting::new().default(DefaultDecision::Permit).consents(&[permit()]);
    setting.source = Source::Unavailable;
    assert_eq!(setting.outcome(), "hold consent-source-unavailable");
    assert_eq!(setting.clone().consents(&[]).outcome(), "hold consent-source-unavailable");
    assert_eq!(setting.clone().consents(&[deny()]).outcome(), "deny provision-deny");

    setting.source = Source::Read { age: Duration::from_millis(1) };
    assert_eq!(setting.outcome(), "hold consents-too-old");

    setting.source = Source::READ_NOW;
    setting.labelling = Labelling::Down;
    assert_eq!(setting.outcome(), "hold labelling-unavailable");
}

#[test]
fn a_general_permission_does_not_cover_what_must_be_named() {
    let sensitive = labelled(task(), &[about("PSYTHPN")]);
    let naming = consent(&json!({ "type": "permit", "securityLabel": [about("PSYTHPN")] }));
    let setting = Setting::new().default(DefaultDecision::Permit).sends(&[sensitive]);

    assert_eq!(setting.clone().consents(&[permit()]).outcome(), "hold sensitivity-not-named");
    assert_eq!(setting.clone().outcome(), "hold sensitivity-not-named");
    assert_eq!(setting.consents(&[naming]).outcome(), "permit provision-permit");
}

#[test]
fn substance_use_data_goes_with_its_notice() {
    let sensitive = labelled(task(), &[about("OPIOIDUD")]);
    let naming = consent(&json!({ "type": "permit", "securityLabel": [about("SUD")] }));
    let decision = Setting::new().sends(&[sensitive]).consents(&[naming]).decide();

    let Decision::Permit(permit) = decision else { panic!("held") };
    assert_eq!(permit.obligations(), [Obligation::Part2Notice]);
    assert!(permit.removals().is_empty());
}

#[test]
fn codes_make_unlabelled_data_sensitive_and_labels_do_not_lower_it() {
    let questionnaire = observation("o", "44249-1");
    let lowered = labelled(questionnaire.clone(), &[level("N")]);
    let deny_psy = consent(&json!({ "type": "deny", "securityLabel": [about("MH")] }));

    for resource in [questionnaire, lowered] {
        let setting = Setting::new().default(DefaultDecision::Permit).sends(&[resource]);
        assert_eq!(setting.outcome(), "hold too-confidential");
        assert_eq!(setting.consents(std::slice::from_ref(&deny_psy)).outcome(), "deny provision-deny");
    }
}

#[test]
fn free_text_without_a_label_is_in_doubt_for_a_rule_on_labels_only() {
    let mut message = task();
    message["description"] = json!("…");
    let deny_psy = consent(&json!({ "type": "deny", "securityLabel": [about("PSY")] }));
    let permit_normal = consent(&json!({ "type": "permit", "securityLabel": [level("N")] }));
    let setting = Setting::new().default(DefaultDecision::Permit).sends(&[message]);

    assert_eq!(setting.clone().outcome(), "permit clinic-default");
    assert_eq!(setting.clone().consents(&[deny_psy]).outcome(), "hold provision-may-deny");
    assert_eq!(setting.consents(&[permit_normal]).outcome(), "hold provision-may-permit");
}

#[test]
fn data_for_research_does_not_go_for_treatment() {
    let tagged = labelled(task(), &[coding("v3-ActReason", "HRESCH")]);
    let test_data = labelled(task(), &[coding("v3-ActReason", "HTEST")]);

    assert_eq!(
        Setting::new().sends(&[tagged]).consents(&[permit()]).outcome(),
        "deny data-for-another-purpose"
    );
    assert_eq!(Setting::new().sends(&[test_data]).consents(&[permit()]).outcome(), "permit provision-permit");
}

#[test]
fn what_is_about_somebody_else_or_about_nobody_is_held() {
    let other = json!({ "resourceType": "Task", "for": { "reference": "Patient/10" } });
    let nobody = json!({ "resourceType": "Task" });
    let group = json!({ "resourceType": "Observation", "subject": { "reference": "Group/1" } });
    let two = json!({ "resourceType": "Appointment", "participant": [
        { "actor": { "reference": "Patient/9" } }, { "actor": { "reference": "Patient/10" } },
    ]});
    let lone_practitioner = json!({ "resourceType": "Practitioner", "id": "p" });

    for resource in [other, nobody, group, two, lone_practitioner] {
        assert_eq!(Setting::new().sends(&[resource]).consents(&[permit()]).outcome(), "hold subject-unclear");
    }
    assert_eq!(Setting::new().sends(&[]).consents(&[permit()]).outcome(), "hold nothing-to-decide-on");
}

#[test]
fn silence_is_answered_by_the_clinics_default() {
    let with = |default| Setting::new().default(default).outcome();

    assert_eq!(with(DefaultDecision::Permit), "permit clinic-default");
    assert_eq!(with(DefaultDecision::Hold), "hold no-consent");
    assert_eq!(with(DefaultDecision::Deny), "deny clinic-default");
}

#[test]
fn a_default_covers_narrower_purposes_and_no_others() {
    let for_purpose = |code: &str| {
        let mut setting = Setting::new().default(DefaultDecision::Permit);
        setting.purpose = Purpose::reason(code);
        setting.outcome()
    };

    assert_eq!(for_purpose("COC"), "permit clinic-default");
    assert_eq!(for_purpose("CAREMGT"), "deny purpose-not-covered");
    assert_eq!(for_purpose("TREATMENT"), "hold purpose-unclear");
    assert_eq!(for_purpose(""), "hold purpose-unclear");
}
