//! What a trace says beyond the answer: values, words for every rule, older denials.

use std::path::Path;

use serde_json::{Value, json};

use super::fixtures::{Setting, about, coding, consent, deny, named, permit};
use super::traced_cases::traces;
use crate::consent::explain::explain;
use crate::consent::trace::{Counts, Trace};
use crate::consent::words::of_rule;

/// What a rule's name stands behind in the source.
const GIVES_A_RULE: [&str; 11] = [
    "Released(",
    "NeedsConsent(",
    "Uncertain(",
    "Denied(",
    "Hold(",
    "Deny(",
    "Permit(",
    "Ignored(",
    "Doubtful(",
    "DeniesOnly(",
    "rule = ",
];

fn dated(mut consent: Value, id: &str, date: &str) -> Value {
    consent["id"] = json!(id);
    consent["dateTime"] = json!(date);
    consent
}

#[test]
fn every_criterion_tells_the_value_that_was_compared_and_the_rule_that_states_it() {
    let provision = json!({
        "type": "permit",
        "actor": named("Organization/lakeside"),
        "purpose": [coding("v3-ActReason", "TREAT")],
        "provision": [{ "type": "deny", "securityLabel": [about("PSY")], "period": { "end": "2026-12-31" } }],
    });
    let trace = Setting::new().consents(&[consent(&provision)]).trace();

    let nested = &trace.nodes[0].consents[0].rules[0];
    let criteria: Vec<(&str, &str, &str)> = nested
        .criteria
        .iter()
        .map(|it| (it.element.as_ref(), it.value.as_str(), it.stated_by.as_str()))
        .collect();
    assert_eq!(nested.path, "Consent/c1#0");
    assert_eq!(
        criteria,
        [
            ("period", "until 2026-12-31", "Consent/c1#0"),
            ("actor", "IRCP Organization/lakeside", "Consent/c1#"),
            ("purpose", "TREAT", "Consent/c1#"),
            ("securityLabel", "PSY", "Consent/c1#0"),
        ]
    );
    assert!(explain(&trace).contains("actor IRCP Organization/lakeside (from Consent/c1#) matches"));
}

#[test]
fn a_consent_that_does_not_count_says_why_in_words() {
    let mut inactive = permit();
    inactive["status"] = json!("inactive");
    let trace = Setting::new().consents(&[inactive]).trace();

    assert_eq!(trace.nodes[0].consents[0].counts, Counts::NotAtAll);
    let text = explain(&trace);
    let expected = "Consent/c1/_history/2 does not count: it is not active (consent-not-active).";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_denial_that_is_older_than_a_permission_is_pointed_out() {
    let older = [dated(deny(), "no", "2025-01-01"), dated(permit(), "yes", "2026-01-01")];
    let newer = [dated(deny(), "no", "2026-02-01"), dated(permit(), "yes", "2026-01-01")];

    let trace = Setting::new().consents(&older).trace();

    assert_eq!(trace.nodes[0].older_denials, ["Consent/no/_history/2"]);
    assert!(explain(&trace).contains("the denial must be made inactive"));
    assert!(Setting::new().consents(&newer).trace().nodes[0].older_denials.is_empty());
}

#[test]
fn every_rule_of_every_trace_has_words() {
    let mut silent = Vec::new();
    for trace in traces() {
        let nodes = trace.nodes.iter().flat_map(|node| {
            std::iter::once(&node.rule).chain(node.consents.iter().map(|consent| &consent.rule))
        });
        silent.extend(
            std::iter::once(&trace.rule)
                .chain(nodes)
                .filter(|it| of_rule(it).is_none())
                .map(ToString::to_string),
        );
    }

    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_rule_that_the_source_gives_has_words() {
    let mut texts = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/consent"), &mut texts);
    let mut given = Vec::new();
    for text in &texts {
        for place in GIVES_A_RULE {
            let opening = format!("{place}\"");
            let literals = text.split(opening.as_str()).skip(1);
            given.extend(literals.filter_map(|it| it.split('"').next()));
        }
    }

    assert!(given.len() > 25, "the source is read");
    let silent: Vec<&str> = given.into_iter().filter(|it| of_rule(it).is_none()).collect();
    assert_eq!(silent, Vec::<&str>::new());
}

#[test]
fn a_trace_that_was_stored_reads_back_as_it_was() {
    for trace in traces() {
        let stored = serde_json::to_string(&trace).unwrap();
        let read: Trace = serde_json::from_str(&stored).unwrap();

        assert_eq!(read, trace);
        assert_eq!(explain(&read), explain(&trace));
    }
}

#[test]
fn a_trace_that_was_stored_without_later_fields_can_still_be_read() {
    let mut stored = serde_json::to_value(Setting::new().consents(&[permit()]).trace()).unwrap();
    stored.as_object_mut().unwrap().shift_remove("remedies");
    stored.as_object_mut().unwrap().shift_remove("next_boundary");
    stored["nodes"][0].as_object_mut().unwrap().shift_remove("older_denials");

    assert!(serde_json::from_value::<Trace>(stored).is_ok());
}

/// Reads the source, tests left out.
fn read(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            read(&path, texts);
        } else if path.is_file() {
            texts.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}
