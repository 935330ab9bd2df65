//! What is understood of a Consent's shape, and what is said of what is not (consent S2, rule 4).

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::fixtures::{Setting, consent, permit};
use crate::consent::lint::{Home, lint};

fn with(element: &str, value: Value) -> Value {
    let mut consent = permit();
    consent[element] = value;
    consent
}

/// What is said of the first thing that is wrong.
fn fix(consent: &Value) -> String {
    lint(consent, Home::Server, &TimeZone::UTC).first().map(|it| it.fix.to_string()).unwrap_or_default()
}

#[test]
fn many_rules_side_by_side_are_not_deep() {
    let sibling = json!({ "type": "permit", "purpose": [{ "code": "TREAT" }] });
    let siblings = vec![sibling; 30];
    let wide = consent(&json!({ "type": "permit", "provision": siblings }));

    assert_eq!(Setting::new().consents(&[wide]).outcome(), "permit provision-permit");
}

#[test]
fn ids_and_ordinary_extensions_change_nothing() {
    let aside = json!([{ "url": "https://clinic.example/aside", "valueString": "aside" }]);
    let mut told = with("extension", aside.clone());
    told["provision"]["id"] = json!("root");
    told["provision"]["extension"] = aside.clone();
    told["patient"]["extension"] = aside;

    assert_eq!(Setting::new().consents(&[told]).outcome(), "permit provision-permit");
}

#[test]
fn each_fault_is_told_with_what_to_write_instead() {
    for (broken, expected) in [
        (with("scope", json!([])), "an object"),
        (with("category", json!({ "text": "x" })), "a list"),
        (with("language", json!(5)), "a text"),
        (with("verification", json!([{ "verified": "yes" }])), "`true` or `false`"),
        (with("meta", json!(5)), "an object, a list or a text"),
        (with("language", json!("")), "must not be empty"),
        (with("dateTime", json!("soon")), "YYYY-MM-DD"),
        (with("dateTime", json!("2026-01-01T09:00:00")), "its zone, such as"),
        (with("provision", json!({ "type": "allow" })), "`permit` or `deny`"),
        (with("modifierExtension", json!([{ "url": "x" }])), "turn the meaning round"),
        (with("provision", json!({ "type": "permit", "actor": [{ "reference": {} }] })), "`role`"),
    ] {
        let texts: Vec<String> =
            lint(&broken, Home::Server, &TimeZone::UTC).iter().map(|it| it.fix.to_string()).collect();
        assert!(texts.iter().any(|it| it.contains(expected)), "{expected}: {texts:?}");
    }
    assert_eq!(fix(&permit()), "");
}
