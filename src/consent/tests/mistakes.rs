//! Mistakes in Consents, each with what must be told of it. While one stands, its Consent can only hold.

use serde_json::{Value, json};

use super::fixtures::{based, coding, concept, consent, named, permit};

pub(super) fn without(mut consent: Value, element: &str) -> Value {
    consent.as_object_mut().unwrap().shift_remove(element);
    consent
}

pub(super) fn with(mut consent: Value, element: &str, value: Value) -> Value {
    consent[element] = value;
    consent
}

pub(super) fn root(provision: &Value) -> Value {
    consent(provision)
}

pub(super) fn ruled(element: &str, value: &Value) -> Value {
    let mut rule = json!({ "type": "permit" });
    rule[element] = value.clone();
    root(&rule)
}

pub(super) fn nested(levels: usize) -> Value {
    (0..levels)
        .fold(json!({ "type": "permit" }), |inner, _| json!({ "type": "permit", "provision": [inner] }))
}

/// A Consent that holds whatever it is asked, with what is told of it.
pub(super) type Holding = (Value, &'static str);

pub(super) fn holding() -> Vec<Holding> {
    [uncounted(), misshapen(), incomplete(), undecided()].concat()
}

/// By what it is, whose it is and what it is about.
fn uncounted() -> Vec<Holding> {
    let anywhere = json!([{ "url": "urn:x" }]);
    vec![
        (json!({ "resourceType": "OperationOutcome" }), "Consent not-a-consent"),
        (without(permit(), "status"), "Consent.status element-missing"),
        (with(permit(), "status", json!("Active")), "Consent.status status-unknown"),
        (without(permit(), "patient"), "Consent.patient element-missing"),
        (with(permit(), "patient", json!({ "display": "x" })), "Consent.patient patient-unclear"),
        (with(permit(), "modifierExtension", anywhere.clone()), "Consent modifier-not-understood"),
        (
            ruled(
                "actor",
                &json!([{ "role": concept("v3-ParticipationType", "IRCP"), "reference": { "reference": "Group/1" },
                "extension": [{ "modifierExtension": anywhere }] }]),
            ),
            "Consent.provision.actor[0] modifier-not-understood",
        ),
        (with(permit(), "implicitRules", json!("urn:x")), "Consent modifier-not-understood"),
        (without(permit(), "scope"), "Consent.scope element-missing"),
        (with(permit(), "scope", json!({ "text": "x" })), "Consent.scope scope-unknown"),
        (without(permit(), "category"), "Consent.category element-missing"),
        (without(permit(), "policy"), "Consent policy-missing"),
    ]
}

/// By an element that is not FHIR's, or not in FHIR's form.
fn misshapen() -> Vec<Holding> {
    vec![
        (with(permit(), "misspelt", json!("x")), "Consent element-unknown"),
        (ruled("actors", &json!([])), "Consent.provision element-unknown"),
        (ruled("code", &json!({ "text": "x" })), "Consent.provision.code json-form"),
        (root(&json!([{ "type": "permit" }])), "Consent.provision json-form"),
        (ruled("actor", &json!([])), "Consent.provision.actor element-empty"),
        (with(permit(), "status", Value::Null), "Consent.status json-form"),
        (without(with(permit(), "_language", json!({})), "language"), "Consent value-missing"),
        (
            with(permit(), "verification", json!([{ "verified": "yes" }])),
            "Consent.verification[0].verified json-form",
        ),
        (with(permit(), "meta", json!(1)), "Consent.meta json-form"),
    ]
}

/// By a rule that says too little, or something that cannot be read.
fn incomplete() -> Vec<Holding> {
    let actor = |it: Value| ruled("actor", &json!([it]));
    let data = |it: Value| ruled("data", &json!([it]));
    let role = concept("v3-ParticipationType", "IRCP");
    vec![
        (root(&json!({ "type": "allow" })), "Consent.provision.type rule-type-unknown"),
        (
            ruled("provision", &json!([{ "purpose": [{ "code": "x" }] }])),
            "Consent.provision.provision[0] nested-rule-without-type",
        ),
        (
            actor(json!({ "reference": { "reference": "Group/1" } })),
            "Consent.provision.actor[0].role element-missing",
        ),
        (actor(json!({ "role": role })), "Consent.provision.actor[0].reference element-missing"),
        (
            data(json!({ "reference": { "reference": "Task/1" } })),
            "Consent.provision.data[0].meaning element-missing",
        ),
        (data(json!({ "meaning": "instance" })), "Consent.provision.data[0].reference element-missing"),
        (
            data(json!({ "meaning": "all", "reference": { "reference": "Task/1" } })),
            "Consent.provision.data[0].meaning data-meaning-unknown",
        ),
        (with(permit(), "dateTime", json!("yesterday")), "Consent.dateTime date-unreadable"),
        (
            ruled("period", &json!({ "start": "2026-01-01T10:00:00" })),
            "Consent.provision.period.start time-without-zone",
        ),
        (
            ruled("period", &json!({ "start": "2027", "end": "2026" })),
            "Consent.provision.period period-backwards",
        ),
        (
            root(&nested(11)),
            "Consent.provision.provision[0].provision[0].provision[0].provision[0].provision[0].provision[0]\
             .provision[0].provision[0].provision[0].provision[0].provision[0] rules-too-deep",
        ),
    ]
}

/// By a policy that cannot be computed, or goes with its root in two ways.
fn undecided() -> Vec<Holding> {
    let own = |uri: &str| with(without(permit(), "provision"), "policy", json!([{ "uri": uri }]));
    vec![
        (
            based("OPTIN", &json!({ "purpose": [coding("v3-ActReason", "TREAT")] })),
            "Consent.provision untyped-root-narrows",
        ),
        (
            root(&json!({ "actor": named("Organization/lakeside") })),
            "Consent.provision untyped-root-without-rules",
        ),
        (own("urn:example:policy"), "Consent.policy[0] policy-unknown"),
        (based("hipaa-auth", &Value::Null), "Consent.policyRule policy-unknown"),
    ]
}
