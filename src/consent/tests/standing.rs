//! Which Consents count (consent S2).

use serde_json::{Value, json};

use super::fixtures::{Setting, concept, consent, deny, permit};
use crate::model::policy::DefaultDecision;

fn with(consents: &[Value]) -> String {
    Setting::new().default(DefaultDecision::Permit).consents(consents).outcome()
}

#[test]
fn a_consent_that_does_not_count_leaves_the_word_to_the_default() {
    let not_counting: [(&str, Value); 6] = [
        ("/status", json!("inactive")),
        ("/patient/reference", json!("Patient/10")),
        ("/scope/coding/0/code", json!("research")),
        ("/scope/coding/0/code", json!("treatment")),
        ("/category/0", concept("consentcategorycodes", "dnr")),
        ("/provision/period", json!({ "end": "2026-03-09" })),
    ];
    for (place, value) in not_counting {
        let mut consent = consent(&json!({ "type": "deny", "period": { "start": "2020" } }));
        *consent.pointer_mut(place).unwrap() = value;
        assert_eq!(with(&[consent]), "permit clinic-default", "{place}");
    }
}

#[test]
fn a_consent_that_is_not_understood_holds_even_beside_a_permission() {
    let unclear: [(&str, Value); 14] = [
        ("status", json!("Active")),
        ("status", Value::Null),
        ("patient", json!({ "display": "somebody" })),
        ("patient", json!({ "reference": "https://elsewhere.example/Patient/9" })),
        ("dateTime", json!("yesterday")),
        ("except", json!([{}])),
        ("category", json!([])),
        ("policy", json!({ "uri": "urn:x" })),
        ("modifierExtension", json!([{ "url": "urn:x" }])),
        ("provision", json!({ "type": "permit", "actor": [] })),
        ("provision", json!({ "type": "allow" })),
        ("provision", json!({ "type": "permit", "data": [{ "meaning": "all", "reference": {} }] })),
        ("provision", json!({ "type": "permit", "provision": [{ "purpose": [{ "code": "TREAT" }] }] })),
        ("provision", json!([{ "type": "permit" }])),
    ];
    for (element, value) in unclear {
        let mut consent = permit();
        consent[element] = value;
        assert!(with(&[permit(), consent]).starts_with("hold "), "{element}");
    }
}

#[test]
fn a_provision_eleven_levels_below_the_root_is_not_understood() {
    let nested = |levels: usize| {
        (0..levels)
            .fold(json!({ "type": "permit" }), |inner, _| json!({ "type": "permit", "provision": [inner] }))
    };

    assert_eq!(with(&[consent(&nested(10))]), "permit provision-permit");
    assert_eq!(with(&[consent(&nested(11))]), "hold consent-not-understood");
}

#[test]
fn what_may_not_permit_may_still_deny() {
    let changes: [(&str, Value); 4] = [
        ("dateTime", json!("2026-03-11")),
        ("verification", json!([{ "verified": false }])),
        ("organization", json!([{ "reference": "Organization/stranger" }])),
        ("category", json!([concept("consentcategorycodes", "emrgonly")])),
    ];
    for (element, value) in changes {
        let (mut permit, mut deny) = (permit(), deny());
        permit[element] = value.clone();
        deny[element] = value;
        let hold = Setting::new().consents(&[permit]).outcome();
        assert_eq!(hold, "hold no-consent", "{element}");
        assert_eq!(with(&[deny]), "deny provision-deny", "{element}");
    }
}

#[test]
fn a_consent_that_the_clinic_manages_permits() {
    let mut of_the_clinic = permit();
    of_the_clinic["organization"] = json!([{ "reference": "Organization/clinic" }]);

    assert_eq!(Setting::new().consents(&[of_the_clinic]).outcome(), "permit provision-permit");
}

#[test]
fn a_merged_record_of_the_patient_is_the_patient() {
    let mut of_alias = deny();
    of_alias["patient"]["reference"] = json!("Patient/8");

    assert_eq!(with(&[of_alias]), "deny provision-deny");
}
