//! Traces in full, their words, and cases (consent (e) 1 and 2).

use serde_json::{Value, json};

use super::fixtures::{Setting, about, consent, deny, labelled, level, named, observation, permit, task};
use crate::consent::case::{CaseProblem, decide_case};
use crate::consent::explain::explain;
use crate::consent::trace::Trace;

#[test]
fn an_outcome_is_told_in_words() {
    let clear = observation("o1", "718-7");
    let sensitive = labelled(observation("o2", "718-7"), &[about("SUD")]);
    let setting =
        |resources: &[Value], consents: &[Value]| Setting::new().sends(resources).consents(consents);
    for (setting, whole, part) in [
        (setting(std::slice::from_ref(&clear), &[permit()]), "It may go as it is:", "Observation/o1 may go:"),
        (
            setting(&[clear.clone(), sensitive], &[permit()]),
            "It may go in part:",
            "Observation/o2 needs a consent that covers it:",
        ),
        (
            setting(
                std::slice::from_ref(&clear),
                &[consent(&json!({ "type": "deny", "actor": named("Group/unknown") }))],
            ),
            "It is kept for now:",
            "Observation/o1 cannot be decided:",
        ),
        (setting(std::slice::from_ref(&clear), &[deny()]), "It may not go:", "Observation/o1 may not go:"),
    ] {
        let text = explain(&setting.trace());
        assert!(text.starts_with(whole), "{whole}\n{text}");
        assert!(text.contains(&format!("\n{part}")), "{part}\n{text}");
    }
}

#[test]
fn a_rule_is_told_with_its_path_and_with_what_the_rules_above_it_ask() {
    let nested = consent(&json!({
        "type": "deny", "actor": named("Organization/lakeside"),
        "provision": [
            { "type": "permit", "period": { "end": "2025" } },
            { "type": "permit", "provision": [{ "type": "deny", "securityLabel": [level("V")] }] },
        ],
    }));

    let trace = Setting::new().consents(&[nested]).trace();

    let rules = &trace.nodes[0].consents[0].rules;
    let paths: Vec<&str> = rules.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["Consent/c1#0", "Consent/c1#1.0", "Consent/c1#1", "Consent/c1#"]);
    let criteria = |rule: usize| rules[rule].criteria.iter().map(|it| &*it.element).collect::<Vec<_>>();
    assert_eq!(criteria(0), ["period", "actor"]);
    assert_eq!(criteria(1), ["actor", "securityLabel"]);
}

#[test]
fn an_element_is_told_by_its_place() {
    let mut main = labelled(task(), &[level("N")]);
    main["identifier"] = json!([{ "value": "keep" }, { "value": "hide", "extension": [{
        "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label",
        "valueCoding": level("R"),
    }]}]);

    let trace = Setting::new().sends(&[main]).consents(&[permit()]).trace();

    let names: Vec<&str> = trace.nodes.iter().map(|it| it.node.as_str()).collect();
    assert_eq!(names, ["Task/5", "Task/5.identifier.1"]);
}

#[test]
fn a_trace_is_read_as_it_was_written() {
    let ending = consent(&json!({ "type": "permit", "period": { "end": "2026-03-10" } }));
    for consent in [ending, permit()] {
        let trace = Setting::new().consents(&[consent]).trace();
        let read: Trace = serde_json::from_value(serde_json::to_value(&trace).unwrap()).unwrap();
        assert_eq!(read.next_boundary, trace.next_boundary);
        assert_eq!(explain(&read), explain(&trace));
    }
}

#[test]
fn a_boundary_is_later_than_now() {
    let from_now = consent(&json!({ "type": "permit", "period": { "start": "2026-03-10T15:00:00Z" } }));

    assert_eq!(Setting::new().consents(&[from_now]).trace().next_boundary, None);
}

fn case() -> Value {
    let identifier = |system: &str, value: &str| json!([{ "system": system, "value": value }]);
    let mut consent = consent(&json!({ "type": "permit", "actor": named("x") }));
    consent["provision"]["actor"][0]["reference"] = json!({ "identifier": identifier("urn:npi", "1")[0] });
    consent["patient"] = json!({ "identifier": identifier("urn:mrn", "1")[0] });
    consent["organization"] = json!([{ "reference": "Organization/clinic" }]);
    json!({
        "name": "a case", "now": "2026-03-10T15:00:00Z",
        "context": {
            "patient": { "reference": "Patient/7", "identifier": identifier("urn:mrn", "1"), "aliases": ["Patient/9"] },
            "recipient": { "organization": { "identifier": identifier("urn:npi", "1") } },
            "purpose": { "system": crate::consent::purpose::ACT_REASON, "code": "TREAT" },
            "custodian": "Organization/clinic",
        },
        "default_policy": { "decision": "permit" },
        "consents": [consent],
        "resource": task(),
    })
}

fn rule(case: &Value) -> String {
    let decided = decide_case(case).unwrap();
    assert_eq!((decided.name.as_str(), decided.decision), ("a case", &*decided.trace.outcome));
    format!("{} {}", decided.decision, decided.trace.rule)
}

#[test]
fn a_case_is_decided_by_its_consents_and_then_by_its_default() {
    assert_eq!(rule(&case()), "permit provision-permit");
    for (decision, expected) in
        [("permit", "permit clinic-default"), ("hold", "hold no-consent"), ("deny", "deny clinic-default")]
    {
        let mut silent = case();
        silent["consents"] = json!([]);
        silent["default_policy"]["decision"] = json!(decision);
        assert_eq!(rule(&silent), expected);
    }
    let mut other = case();
    other["default_policy"]["decision"] = json!("perhaps");
    assert!(matches!(decide_case(&other), Err(CaseProblem::Value("default_policy.decision"))));
}

#[test]
fn a_case_says_how_its_sources_were() {
    for (element, value, expected) in [
        ("consent_source", json!({ "status": "error" }), "hold consent-source-unavailable"),
        ("consent_source", json!({ "status": "ok", "age_seconds": 0.5 }), "hold consents-too-old"),
        ("consent_source", json!({ "status": "ok", "age_seconds": 0 }), "permit provision-permit"),
        ("labeling", json!({ "status": "down" }), "hold labelling-unavailable"),
        ("recipient", json!({}), "hold recipient-unclear"),
        ("action", json!("access"), "permit provision-permit"),
    ] {
        let mut case = case();
        case["context"][element] = value.clone();
        assert_eq!(rule(&case), expected, "{element} {value}");
    }
}
