//! The trace, its words, and the next boundary (consent S10, (e) 1).

use serde_json::json;

use super::fixtures::{Setting, about, consent, observation, permit};
use crate::consent::explain::explain;

#[test]
fn a_trace_tells_which_provision_denied_and_what_gave_the_label_away() {
    let except_mental_health = consent(&json!({
        "type": "permit",
        "provision": [{ "type": "deny", "securityLabel": [about("PSY")] }],
    }));
    let setting = Setting::new().sends(&[observation("o", "44249-1")]).consents(&[except_mental_health]);

    let text = explain(&setting.trace());

    for expected in [
        "It may not go: a rule denies it (provision-deny).",
        "Observation/o may not go",
        "Its content http://loinc.org|44249-1 means PSY.",
        "Consent/c1/_history/2 denies it",
        "Consent/c1#0, a deny, denies it: securityLabel PSY matches.",
        "Consent/c1#, a permit, denies it with the rules below it, and by itself permits it.",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_trace_can_be_written_as_json() {
    let json = serde_json::to_value(Setting::new().consents(&[permit()]).trace()).unwrap();

    assert_eq!(json["nodes"][0]["consents"][0]["answer"], "P");
}

#[test]
fn the_next_boundary_is_the_nearest_start_or_end_of_a_period() {
    let boundary = |provision| Setting::new().consents(&[consent(&provision)]).trace().next_boundary;
    let at = |text: &str| Some(text.parse().unwrap());

    assert_eq!(boundary(json!({ "type": "permit" })), None);
    assert_eq!(
        boundary(json!({ "type": "permit", "period": { "end": "2026-03-10" } })),
        at("2026-03-11T00:00:00Z")
    );
    assert_eq!(
        boundary(json!({
            "type": "permit",
            "period": { "start": "2026-01-01", "end": "2026-12-31" },
            "provision": [{ "type": "deny", "period": { "start": "2026-04" } }],
        })),
        at("2026-04-01T00:00:00Z")
    );
}

#[test]
fn a_consent_that_is_dated_later_sets_a_boundary() {
    let mut later = permit();
    later["dateTime"] = json!("2026-06-01");

    let boundary = Setting::new().consents(&[later]).trace().next_boundary;

    assert_eq!(boundary, Some("2026-06-01T00:00:00Z".parse().unwrap()));
}
