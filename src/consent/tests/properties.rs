//! Properties of all decisions (consent (e) 6).

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{
    Setting, about, based, concept, consent, deny, labelled, level, named, observation, permit, task,
};
use crate::consent::disclosure::{Labelling, Source};
use crate::model::policy::DefaultDecision;

/// The names of the nodes that would be sent.
fn sent(setting: &Setting) -> BTreeSet<String> {
    let goes = matches!(setting.trace().outcome.as_ref(), "permit" | "redact");
    if goes { released(setting) } else { BTreeSet::new() }
}

/// What may go by itself. It stays all the same while it is in doubt whether something beside it may go.
fn released(setting: &Setting) -> BTreeSet<String> {
    let nodes = setting.trace().nodes.into_iter();
    nodes.filter(|it| it.outcome == "released").map(|it| it.node).collect()
}

fn criteria() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({ "actor": named("Organization/lakeside") })),
        Just(json!({ "actor": named("Organization/other") })),
        Just(json!({ "actor": named("Group/unknown") })),
        Just(json!({ "purpose": [{ "system": crate::consent::purpose::ACT_REASON, "code": "TREAT" }] })),
        Just(json!({ "securityLabel": [about("PSY")] })),
        Just(json!({ "securityLabel": [level("N")] })),
        Just(json!({ "securityLabel": [level("R")] })),
        Just(json!({ "class": [{ "system": "http://hl7.org/fhir/resource-types", "code": "Observation" }] })),
        Just(json!({ "dataPeriod": { "end": "2025" } })),
        Just(json!({ "action": [concept("consentaction", "access")] })),
        Just(json!({ "period": { "end": "2026-03-09" } })),
        Just(json!({ "code": [{ "coding": [{ "system": "http://loinc.org", "code": "718-7" }] }] })),
    ]
}

fn provision(kind: &'static str) -> impl Strategy<Value = Value> {
    criteria().prop_map(move |mut it| {
        it["type"] = json!(kind);
        it
    })
}

fn nested() -> impl Strategy<Value = Value> {
    let any = || prop_oneof![provision("permit"), provision("deny")];
    (any(), prop::collection::vec(any(), 0..3)).prop_map(|(mut root, children)| {
        if !children.is_empty() {
            root["provision"] = json!(children);
        }
        root
    })
}

fn any_consent() -> impl Strategy<Value = Value> {
    let date = prop_oneof![Just("2024"), Just("2026-02-01"), Just("2026-06-01")];
    let policy = prop_oneof![Just("OPTIN"), Just("OPTOUT"), Just("hipaa-auth"), Just("")];
    (nested(), date, policy, 0_u8..4).prop_map(|(provision, date, policy, id)| {
        let mut it = if policy.is_empty() { consent(&provision) } else { based(policy, &provision) };
        it["dateTime"] = json!(date);
        it["id"] = json!(format!("c{id}"));
        it
    })
}

fn payload() -> impl Strategy<Value = Vec<Value>> {
    let any = || {
        prop_oneof![
            Just(task()),
            Just(observation("o1", "718-7")),
            Just(labelled(observation("o2", "718-7"), &[level("R")])),
            Just(observation("o3", "44249-1")),
            Just(observation("o4", "74013-4")),
        ]
    };
    prop::collection::vec(any(), 1..4)
}

fn setting() -> impl Strategy<Value = Setting> {
    let default =
        prop_oneof![Just(DefaultDecision::Permit), Just(DefaultDecision::Hold), Just(DefaultDecision::Deny)];
    (prop::collection::vec(any_consent(), 0..4), payload(), default).prop_map(
        |(consents, resources, default)| {
            Setting::new().default(default).consents(&consents).sends(&resources)
        },
    )
}

/// A Consent with a deny at its root, none but denies in it, and no base that permits.
fn pure_deny() -> impl Strategy<Value = Value> {
    (provision("deny"), prop::collection::vec(provision("deny"), 0..2)).prop_map(|(mut root, children)| {
        if !children.is_empty() {
            root["provision"] = json!(children);
        }
        consent(&root)
    })
}

fn malformed() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "resourceType": "OperationOutcome" })),
        Just(consent(&json!({ "type": "permit", "actors": [] }))),
        Just(consent(&json!([{ "type": "permit" }]))),
        Just(consent(&json!({ "type": "permit", "period": { "start": "soon" } }))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_further_deny_or_a_malformed_consent_releases_nothing_that_was_not_released(
        before in setting(),
        added in prop_oneof![pure_deny(), malformed()],
    ) {
        let mut after = before.clone();
        after.consents.push(added);
        // A denial may end a doubt: what is denied is taken out then, and what was released beside it goes.
        prop_assert!(sent(&after).is_subset(&released(&before)));
    }

    #[test]
    fn the_order_of_consents_and_repetitions_do_not_matter(mut setting in setting()) {
        let before = sent(&setting);
        setting.consents.reverse();
        prop_assert_eq!(&sent(&setting), &before);
        setting.consents.extend(setting.consents.clone());
        prop_assert_eq!(&sent(&setting), &before);
    }

    #[test]
    fn consents_that_are_not_active_do_not_matter(
        mut setting in setting(),
        mut added in any_consent(),
        status in prop_oneof![Just("draft"), Just("inactive"), Just("entered-in-error")],
    ) {
        let before = setting.outcome();
        added["status"] = json!(status);
        setting.consents.insert(0, added);
        prop_assert_eq!(setting.outcome(), before);
    }

    #[test]
    fn nothing_is_released_in_an_outage(mut setting in setting(), labelling_is_down in any::<bool>()) {
        if labelling_is_down {
            setting.labelling = Labelling::Down;
        } else {
            setting.source = Source::Unavailable;
        }
        prop_assert!(sent(&setting).is_empty());
    }

    #[test]
    fn a_further_label_releases_nothing_that_no_rule_names(before in setting(), index in 0_usize..4) {
        let mut after = before.clone();
        let index = index % after.resources.len();
        let resource = &mut after.resources[index];
        // The rules above name PSY and levels; a level is named by what the new label implies.
        let names_a_level = after.consents.iter().any(|it| it.to_string().contains("v3-Confidentiality"));
        prop_assume!(!names_a_level);
        let mut labels = resource["meta"]["security"].as_array().cloned().unwrap_or_default();
        labels.push(about("HIV"));
        resource["meta"]["security"] = json!(labels);
        prop_assert!(sent(&after).is_subset(&sent(&before)));
    }
}

#[test]
fn the_generators_reach_both_ways_of_deciding() {
    assert!(!sent(&Setting::new().consents(&[permit()])).is_empty());
    assert!(sent(&Setting::new().consents(&[deny()])).is_empty());
}
