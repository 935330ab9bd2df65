use serde_json::{Value, json};

use super::disclosure::{Disclosure, PatientAtClinic, Source};
use super::permit::Decision;
use super::*;
use crate::model::ids::PartnerId;
use crate::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};
use crate::model::update::ResourceVersion;

fn patient() -> PatientAtClinic {
    PatientAtClinic {
        reference: "Patient/9".to_owned(),
        base: "https://clinic.example/fhir".to_owned(),
        identifiers: vec![("urn:mrn".to_owned(), "1".to_owned())],
    }
}

fn policy(decision: DefaultDecision) -> DefaultPolicy {
    DefaultPolicy {
        decision,
        purposes: Some(vec!["TREAT".to_owned()]),
        max_confidentiality: Confidentiality::Normal,
        explicit_consent_sensitivity: vec!["PSYTHPN".to_owned()],
    }
}

fn opt_in() -> Value {
    json!({
        "resourceType": "Consent",
        "id": "c1",
        "meta": { "versionId": "2" },
        "status": "active",
        "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/9" },
        "dateTime": "2026-01-01",
        "policyRule": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN" }] },
        "provision": { "type": "permit", "period": { "start": "2026-01-01", "end": "2026-12-31" } },
    })
}

fn opt_out() -> Value {
    let mut consent = opt_in();
    consent["provision"]["type"] = json!("deny");
    consent
}

fn task() -> Value {
    json!({ "resourceType": "Task", "id": "5", "for": { "reference": "Patient/9" } })
}

/// Decides with these Consents and this default, and names the outcome and the rule.
fn outcome(consents: &[Value], resources: &[Value], default: DefaultDecision, source: Source) -> String {
    let (patient, policy) = (patient(), policy(default));
    let disclosure = Disclosure {
        version: ResourceVersion { resource_type: "Task".into(), id: "5".into(), version: "2".into() },
        resources,
        patient: &patient,
        recipient: PartnerId::new("lakeside"),
        purpose: "TREAT",
        consents,
        source,
        default: &policy,
        now: "2026-03-10T15:00:00Z".parse().unwrap(),
        time_zone: &jiff::tz::TimeZone::UTC,
    };
    let note = match decide(&disclosure) {
        Decision::Permit(permit) => permit.note().clone(),
        Decision::Hold(refusal) | Decision::Deny(refusal) => refusal.note,
    };
    format!("{} {}", note.outcome, note.rule)
}

fn with(consents: &[Value]) -> String {
    outcome(consents, &[task()], DefaultDecision::Permit, Source::Read)
}

#[test]
fn a_root_provision_decides_by_its_type() {
    assert_eq!(with(&[opt_in()]), "permit provision-permit");
    assert_eq!(with(&[opt_out()]), "deny provision-deny");
}

#[test]
fn a_policy_rule_decides_where_there_is_no_provision() {
    let mut consent = opt_in();
    consent.as_object_mut().unwrap().shift_remove("provision");
    assert_eq!(with(&[consent.clone()]), "permit policy-opt-in");

    consent["policyRule"]["coding"][0]["code"] = json!("OPTOUT");
    assert_eq!(with(&[consent.clone()]), "deny policy-opt-out");

    consent["policyRule"]["coding"][0]["code"] = json!("hipaa-auth");
    assert_eq!(with(&[consent]), "hold policy-unknown");
}

#[test]
fn a_denial_wins_over_a_permission_in_any_order() {
    assert_eq!(with(&[opt_in(), opt_out()]), "deny provision-deny");
    assert_eq!(with(&[opt_out(), opt_in()]), "deny provision-deny");
}

#[test]
fn a_consent_that_does_not_count_leaves_the_word_to_the_default() {
    let not_counting: [(&str, Value); 4] = [
        ("/status", json!("inactive")),
        ("/patient/reference", json!("Patient/10")),
        ("/provision/period/end", json!("2026-03-09")),
        ("/scope/coding/0/code", json!("research")),
    ];
    for (place, value) in not_counting {
        let mut consent = opt_out();
        *consent.pointer_mut(place).unwrap() = value;
        assert_eq!(with(&[consent]), "permit clinic-default", "{place}");
    }
}

#[test]
fn a_consent_that_is_not_understood_holds_even_beside_a_permission() {
    let unclear: [(&str, Value); 7] = [
        ("status", json!("Active")),
        ("status", Value::Null),
        ("patient", json!({ "display": "somebody" })),
        ("organization", json!([{ "reference": "Organization/1" }])),
        ("modifierExtension", json!([{ "url": "urn:x" }])),
        ("provision", json!({ "type": "permit", "actor": [] })),
        ("provision", json!([{ "type": "permit" }])),
    ];
    for (element, value) in unclear {
        let mut consent = opt_in();
        consent[element] = value;
        assert!(with(&[opt_in(), consent]).starts_with("hold "), "{element}");
    }
}

#[test]
fn an_unreadable_source_holds_a_permission_and_keeps_a_denial() {
    let with =
        |consents: &[Value]| outcome(consents, &[task()], DefaultDecision::Permit, Source::Unavailable);

    assert_eq!(with(&[opt_in()]), "hold consent-source-unavailable");
    assert_eq!(with(&[]), "hold consent-source-unavailable");
    assert_eq!(with(&[opt_out()]), "deny provision-deny");
}

#[test]
fn a_general_permission_does_not_cover_what_is_labelled_as_sensitive() {
    let mut labelled = task();
    labelled["meta"]["security"] =
        json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN" }]);

    let by_consent = outcome(&[opt_in()], &[labelled.clone()], DefaultDecision::Permit, Source::Read);
    let by_default = outcome(&[], &[labelled], DefaultDecision::Permit, Source::Read);

    assert_eq!(by_consent, "hold sensitivity-not-named");
    assert_eq!(by_default, "hold sensitivity-not-named");
}

#[test]
fn what_is_about_somebody_else_or_about_nobody_is_held() {
    let other = json!({ "resourceType": "Task", "for": { "reference": "Patient/10" } });
    let nobody = json!({ "resourceType": "Task" });
    let two = json!({ "resourceType": "Appointment", "participant": [
        { "actor": { "reference": "Patient/9" } }, { "actor": { "reference": "Patient/10" } },
    ]});

    for resource in [other, nobody, two] {
        let held = outcome(&[opt_in()], &[resource], DefaultDecision::Permit, Source::Read);
        assert_eq!(held, "hold subject-unclear");
    }
    assert_eq!(outcome(&[opt_in()], &[], DefaultDecision::Permit, Source::Read), "hold subject-unclear");
}

#[test]
fn silence_is_answered_by_the_clinics_default() {
    let with = |default| outcome(&[], &[task()], default, Source::Read);

    assert_eq!(with(DefaultDecision::Permit), "permit clinic-default");
    assert_eq!(with(DefaultDecision::Hold), "hold no-consent");
    assert_eq!(with(DefaultDecision::Deny), "deny clinic-default");
}
