//! Base policies and what stands over them (consent S3), and the same form signed again (S4.3).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, based, concept, consent, deny, labelled, level, named, permit, task};
use crate::consent::disclosure::Purpose;
use crate::model::policy::DefaultDecision;

fn for_purpose(code: &str, consent: Value) -> String {
    let mut setting = Setting::new().consents(&[consent]);
    setting.purpose = Purpose::reason(code);
    setting.outcome()
}

fn by_uri(policy: &str) -> Value {
    let mut consent = permit();
    consent.as_object_mut().unwrap().shift_remove("provision");
    consent["policy"][0]["uri"] = json!(format!("https://profiles.ihe.net/ITI/PCF/Policy-{policy}"));
    consent
}

#[test]
fn an_emergency_policy_permits_in_an_emergency_only() {
    assert_eq!(for_purpose("BTG", based("EMRGONLY", &Value::Null)), "permit policy-emergency-only");
    assert_eq!(for_purpose("TREAT", based("EMRGONLY", &Value::Null)), "deny policy-emergency-only");
}

#[test]
fn the_policies_of_pcf_decide_where_there_is_no_provision() {
    for (policy, purpose, expected) in [
        ("basic-normal", "TREAT", "permit policy-by-uri"),
        ("basic-normal", "HPAYMT", "hold no-consent"),
        ("all-normal", "HPAYMT", "permit policy-by-uri"),
        ("break-glass-only", "TREAT", "deny policy-by-uri"),
        ("break-glass-only", "BTG", "permit policy-by-uri"),
        ("deny", "TREAT", "deny policy-by-uri"),
        ("deny", "BTG", "deny policy-by-uri"),
        ("of-the-house", "TREAT", "hold policy-unknown"),
    ] {
        assert_eq!(for_purpose(purpose, by_uri(policy)), expected, "{policy} {purpose}");
    }
    let restricted = labelled(task(), &[level("R")]);
    for policy in ["basic-normal", "all-normal"] {
        let setting = Setting::new().sends(std::slice::from_ref(&restricted)).consents(&[by_uri(policy)]);
        assert_eq!(setting.outcome(), "deny policy-by-uri", "{policy}");
    }
}

#[test]
fn an_opt_out_denies_what_a_typed_root_does_not_address() {
    let excepting = |actor: &str| based("OPTOUT", &json!({ "type": "permit", "actor": named(actor) }));

    assert_eq!(for_purpose("TREAT", excepting("Organization/lakeside")), "permit provision-permit");
    assert_eq!(for_purpose("TREAT", excepting("Organization/other")), "deny policy-opt-out");
}

#[test]
fn an_untyped_root_narrows_an_opt_in_by_anything_but_a_period_or_the_clinic() {
    let clinic = json!([{
        "role": concept("v3-ParticipationType", "CST"), "reference": { "reference": "Organization/clinic" },
    }]);
    for root in [json!({ "period": { "start": "2026" } }), json!({ "actor": clinic })] {
        assert_eq!(for_purpose("TREAT", based("OPTIN", &root)), "permit policy-opt-in", "{root}");
    }
    for root in [
        json!({ "action": [concept("consentaction", "disclose")] }),
        json!({ "purpose": [{ "system": crate::consent::purpose::ACT_REASON, "code": "TREAT" }] }),
        json!({ "securityLabel": [level("N")] }),
        json!({ "dataPeriod": { "start": "2026" } }),
    ] {
        assert_eq!(for_purpose("TREAT", based("OPTIN", &root)), "hold policy-opt-in", "{root}");
    }
}

#[test]
fn an_untyped_root_without_a_base_says_what_its_rules_say() {
    let with = |root: Value| for_purpose("TREAT", consent(&root));
    let other = named("Organization/other");

    assert_eq!(with(json!({ "actor": other })), "hold provision-without-type");
    assert_eq!(with(json!({ "provision": [{ "type": "permit", "actor": other }] })), "hold no-consent");
    assert_eq!(with(json!({ "provision": [{ "type": "permit" }] })), "permit provision-permit");
}

#[test]
fn a_part_2_form_names_substance_use_by_itself() {
    let substance_use = Setting::new().sends(&[labelled(task(), &[about("OPIOIDUD")])]);
    let psychotherapy = Setting::new().sends(&[labelled(task(), &[about("PSYTHPN")])]);
    let with = |setting: &Setting, policy: &str| {
        setting.clone().consents(&[based(policy, &json!({ "type": "permit" }))]).outcome()
    };

    assert_eq!(with(&substance_use, "42CFRPart2"), "permit provision-permit");
    assert_eq!(with(&substance_use, "hipaa-auth"), "hold sensitivity-not-named");
    assert_eq!(with(&psychotherapy, "42CFRPart2"), "hold sensitivity-not-named");
}

#[test]
fn a_sensitivity_is_named_by_a_code_or_a_label_and_by_nothing_else() {
    let sensitive = super::fixtures::observation("o", "718-7");
    let setting = Setting::new().sends(&[labelled(sensitive, &[about("SUD")])]);
    let with = |criteria: Value| {
        let mut provision = criteria;
        provision["type"] = json!("permit");
        setting.clone().consents(&[consent(&provision)]).outcome()
    };
    let code = json!([{ "coding": [{ "system": "http://loinc.org", "code": "718-7" }] }]);

    assert_eq!(with(json!({ "code": code })), "permit provision-permit");
    assert_eq!(with(json!({ "securityLabel": [about("SUD")] })), "permit provision-permit");
    assert_eq!(with(json!({ "dataPeriod": { "start": "2026" } })), "hold sensitivity-not-named");
}

#[test]
fn a_newer_form_of_the_same_kind_narrows_the_older_permit() {
    let broad = |date: Value| {
        let mut consent = permit();
        consent["dateTime"] = date;
        consent
    };
    let narrow = |date: Value, policy: &str| {
        let mut consent = consent(&json!({ "type": "permit", "dataPeriod": { "end": "2025" } }));
        consent["dateTime"] = date;
        consent["policy"][0]["uri"] = json!(policy);
        consent
    };
    let without_date = |mut consent: Value| {
        consent.as_object_mut().unwrap().shift_remove("dateTime");
        consent
    };
    let same = "urn:example:policy";
    let of = |broad: Value, narrow: Value| Setting::new().consents(&[broad, narrow]).outcome();
    let january = || broad(json!("2026-01"));

    assert_eq!(of(january(), narrow(json!("2026-02-01"), same)), "deny same-form-signed-again");
    assert_eq!(of(january(), narrow(json!("2026-01-15"), same)), "deny same-form-signed-again");
    assert_eq!(of(january(), narrow(json!("2025-12-31"), same)), "permit provision-permit");
    assert_eq!(of(january(), without_date(narrow(json!(""), same))), "deny same-form-signed-again");
    assert_eq!(of(without_date(january()), narrow(json!("2025"), same)), "deny same-form-signed-again");
    assert_eq!(of(january(), narrow(json!("2026-02-01"), "urn:other")), "permit provision-permit");
}

#[test]
fn a_notice_or_a_form_for_emergencies_does_not_permit() {
    let loinc = |code: &str| json!({ "coding": [{ "system": "http://loinc.org", "code": code }] });
    let local = |code: &str| json!({ "coding": [{ "system": "urn:local", "code": code }] });
    let ours = |code: &str| concept("consentcategorycodes", code);
    for (categories, expected) in [
        (json!([ours("npp")]), "hold no-consent"),
        (json!([loinc("57016-8")]), "hold no-consent"),
        (json!([loinc("npp")]), "permit provision-permit"),
        (json!([ours("57016-8")]), "permit provision-permit"),
        (json!([local("57016-8")]), "permit provision-permit"),
        (json!([ours("npp"), loinc("59284-0")]), "permit provision-permit"),
        (json!([{ "coding": [about("EMRGONLY")] }]), "hold no-consent"),
    ] {
        let mut consent = permit();
        consent["category"] = categories.clone();
        assert_eq!(for_purpose("TREAT", consent), expected, "{categories}");
    }
    let mut for_emergencies = permit();
    for_emergencies["category"] = json!([ours("emrgonly")]);
    assert_eq!(for_purpose("ETREAT", for_emergencies), "permit provision-permit");
}

#[test]
fn a_consent_whose_period_is_over_is_ignored_with_its_policy() {
    let over = based("OPTOUT", &json!({ "type": "deny", "period": { "end": "2026-02" } }));
    let setting = Setting::new().default(DefaultDecision::Permit);

    assert_eq!(setting.clone().consents(&[over]).outcome(), "permit clinic-default");
    assert_eq!(setting.consents(&[deny()]).outcome(), "deny provision-deny");
}

#[test]
fn a_consent_permits_from_the_instant_of_its_date() {
    let mut now = permit();
    now["dateTime"] = json!("2026-03-10T15:00:00Z");

    assert_eq!(for_purpose("TREAT", now), "permit provision-permit");
}

#[test]
fn a_modifier_anywhere_and_a_period_with_anything_else_are_not_understood() {
    let modifier = json!([{ "url": "urn:x" }]);
    for (element, value) in [
        ("identifier", json!([{ "value": "1", "modifierExtension": modifier }])),
        ("contained", json!([{ "resourceType": "Organization", "id": "o", "implicitRules": "urn:x" }])),
        ("provision", json!({ "type": "permit", "dataPeriod": { "start": "2020", "until": "2021" } })),
        ("provision", json!({ "type": "permit", "dataPeriod": { "start": "2027", "end": "2026" } })),
    ] {
        let mut consent = permit();
        consent[element] = value;
        assert_eq!(for_purpose("TREAT", consent.clone()), "hold consent-not-understood", "{consent}");
    }
}

#[test]
fn whose_consent_it_is_can_be_told_by_an_identifier() {
    let identified =
        |system: &str, value: &str| json!({ "identifier": { "system": system, "value": value } });
    for (patient, expected) in [
        (identified("urn:mrn", "1"), "deny provision-deny"),
        (identified("urn:mrn", "2"), "permit clinic-default"),
        (identified("urn:other", "1"), "hold consent-patient-unclear"),
        (json!({ "reference": "Group/5" }), "hold consent-patient-unclear"),
    ] {
        let mut consent = deny();
        consent["patient"] = patient.clone();
        let outcome = Setting::new().default(DefaultDecision::Permit).consents(&[consent]).outcome();
        assert_eq!(outcome, expected, "{patient}");
    }
}

#[test]
fn a_consent_or_a_rule_without_what_it_needs_is_not_understood() {
    let with_data = json!({
        "type": "permit",
        "actor": named("Organization/lakeside"),
        "data": [{ "meaning": "instance", "reference": { "reference": "Task/5" } }],
    });
    assert_eq!(for_purpose("TREAT", consent(&with_data)), "permit provision-permit");
    for (holder, element) in [
        ("", "category"),
        ("", "scope"),
        ("/provision/actor/0", "role"),
        ("/provision/actor/0", "reference"),
        ("/provision/data/0", "meaning"),
        ("/provision/data/0", "reference"),
    ] {
        let mut consent = consent(&with_data);
        consent.pointer_mut(holder).unwrap().as_object_mut().unwrap().shift_remove(element);
        assert_eq!(for_purpose("TREAT", consent), "hold consent-not-understood", "{holder} {element}");
    }
}
