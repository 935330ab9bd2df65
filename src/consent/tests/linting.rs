//! What is told of a Consent that can only hold (consent (e) 8).

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::choice::Choice;
use super::fixtures::{Setting, based, coding, concept, named, observation, permit};
use super::mistakes::{holding, root, ruled, with, without};
use super::mutation::{break_once, take_over};
use crate::consent::lint::{self, Effect, Finding, Home, known};
use crate::consent::standing::Standing;
use crate::consent::standing::understood::is_understood;
use crate::model::policy::DefaultDecision;

fn lint(consent: &Value) -> Vec<Finding> {
    lint::lint(consent, Home::Server, &TimeZone::UTC)
}

fn only_holds(consent: &Value) -> Vec<Finding> {
    lint::only_holds(consent, Home::Server, &TimeZone::UTC)
}

/// Element and rule of each finding of one effect.
fn found(consent: &Value, effect: Effect) -> Vec<String> {
    let findings = lint(consent).into_iter().filter(|it| it.effect == effect);
    findings.map(|it| format!("{} {}", it.element, it.rule)).collect()
}

#[test]
fn a_good_consent_has_no_finding() {
    assert_eq!(lint(&permit()), []);
    assert_eq!(lint(&based("OPTIN", &Value::Null)), []);
    assert_eq!(lint(&ruled("actor", &named("Organization/lakeside"))), []);
    assert_eq!(lint(&ruled("action", &json!([concept("consentaction", "disclose")]))), []);
}

#[test]
fn every_mistake_that_makes_a_consent_hold_is_told_with_its_place() {
    for (consent, expected) in holding() {
        let found = found(&consent, Effect::OnlyHolds);
        assert!(found.iter().any(|it| it == expected), "{expected} is not among {found:?}");
    }
}

#[test]
fn a_consent_with_such_a_mistake_holds_beside_a_permission() {
    for (consent, expected) in holding() {
        let outcome = Setting::new().consents(&[permit(), consent]).outcome();
        assert!(outcome.starts_with("hold "), "{expected}: {outcome}");
    }
}

#[test]
fn in_a_bundle_a_patient_may_be_another_entry() {
    let consent = with(permit(), "patient", json!({ "reference": "urn:uuid:0" }));

    assert_eq!(lint::lint(&consent, Home::Bundle, &TimeZone::UTC), []);
    assert_eq!(found(&consent, Effect::OnlyHolds), ["Consent.patient patient-unclear"]);
}

#[test]
fn no_finding_repeats_a_value_or_a_misspelt_name() {
    let mut secret = permit();
    secret["Secret"] = json!("Secret");
    secret["status"] = json!("Secret");
    secret["patient"] = json!({ "display": "Secret" });
    secret["text"] = json!({ "Secret": { "modifierExtension": "Secret" } });
    secret["provision"] = json!({ "type": "Secret", "period": { "start": "Secret" }, "Secret": "Secret",
        "action": [{ "text": "Secret" }], "actor": [{ "reference": { "display": "Secret" } }] });

    let findings = lint(&secret);

    assert!(findings.len() > 6, "{findings:?}");
    assert!(!serde_json::to_string(&findings).unwrap().contains("Secret"), "{findings:?}");
}

#[test]
fn a_part_that_does_less_than_it_seems_is_told_and_does_not_hold_the_rest() {
    let role = |code: &str| concept("v3-ParticipationType", code);
    let actor = |role: Value, reference: Value| json!([{ "role": role, "reference": reference }]);
    let weaker = [
        (
            ruled("actor", &actor(role("IRCP"), json!({ "display": "x" }))),
            "Consent.provision.actor[0].reference actor-display-only",
        ),
        (
            ruled("actor", &actor(role("INF"), json!({ "reference": "Organization/lakeside" }))),
            "Consent.provision.actor[0].role actor-role-unknown",
        ),
        (ruled("action", &json!([{ "text": "x" }])), "Consent.provision.action[0] action-unknown"),
        (ruled("purpose", &json!([{ "code": "TREAT" }])), "Consent.provision.purpose[0] purpose-unknown"),
        (
            ruled("purpose", &json!([coding("v3-ActReason", "TREATMNT")])),
            "Consent.provision.purpose[0] purpose-unknown",
        ),
        (ruled("class", &json!([{ "code": "Task" }])), "Consent.provision.class[0] class-unknown"),
        (
            ruled("class", &json!([{ "system": "http://hl7.org/fhir/resource-types", "code": "task" }])),
            "Consent.provision.class[0] class-unknown",
        ),
        (
            ruled("code", &json!([{ "coding": [{ "code": "718-7" }] }])),
            "Consent.provision.code[0] code-without-system",
        ),
        (
            based(
                "OPTIN",
                &json!({ "purpose": [coding("v3-ActReason", "TREAT")],
                "provision": [{ "type": "deny", "actor": named("Organization/other") }] }),
            ),
            "Consent.provision untyped-root-narrows",
        ),
        (
            based(
                "OPTIN",
                &json!({ "provision": [{ "type": "permit", "actor": named("Organization/other") }] }),
            ),
            "Consent.provision untyped-root-with-permits",
        ),
    ];
    for (consent, expected) in weaker {
        assert_eq!(found(&consent, Effect::Weaker), [expected]);
        assert_eq!(only_holds(&consent), [], "{expected}");
        let outcome = Setting::new().consents(&[consent]).outcome();
        assert!(!outcome.starts_with("permit"), "{expected}: {outcome}");
    }
}

#[test]
fn unknown_codes_of_a_deny_are_not_told_because_it_denies_in_doubt() {
    let deny = root(&json!({ "type": "deny", "action": [{ "text": "x" }], "purpose": [{ "code": "x" }],
        "class": [{ "code": "x" }], "code": [{ "text": "x" }] }));

    assert_eq!(lint(&deny), []);
}

/// Whether the engine is in doubt about a criterion: then a deny by it holds what the default would let go.
fn is_in_doubt(element: &str, value: &Value) -> bool {
    let deny = root(&json!({ "type": "deny", element: value }));
    Setting::new().default(DefaultDecision::Permit).consents(&[deny]).outcome().starts_with("hold ")
}

#[test]
fn what_is_known_to_the_lint_is_known_to_the_engine() {
    for code in ["collect", "access", "use", "disclose", "correct", "share", "Disclose"] {
        let action = concept("consentaction", code);
        assert_eq!(known::is_action(&action), !is_in_doubt("action", &json!([action])), "{code}");
    }
    for code in ["TREAT", "HPAYMT", "BTG", "TREATMNT", ""] {
        let purpose = coding("v3-ActReason", code);
        // A narrower purpose than the one asked for may be meant by it: that is no matter of the code.
        let narrower = code == "BTG";
        let doubt = is_in_doubt("purpose", &json!([purpose]));
        assert_eq!(known::is_purpose(&purpose), !doubt || narrower, "{code}");
    }
    for system in [
        "http://hl7.org/fhir/resource-types",
        "urn:ietf:rfc:3986",
        "urn:ietf:bcp:13",
        "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
        "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
        "urn:oid:1.3.6.1.4.1.19376.1.2.3",
        "urn:example:classes",
    ] {
        let class = json!({ "system": system, "code": "Nothing" });
        assert_eq!(known::is_class(&class), !is_in_doubt("class", &json!([class])), "{system}");
    }
}

#[test]
fn a_permit_is_possible_for_every_role_that_the_lint_knows() {
    let actor = |code: &str| match code {
        "CST" => "Organization/clinic",
        "AUT" => "Practitioner/author",
        _ => "Organization/lakeside",
    };
    for code in ["IRCP", "PRCP", "GRANTEE", "DELEGATEE", "CST", "AUT", "INF", "ircp"] {
        let role = concept("v3-ParticipationType", code);
        let named = json!([{ "role": role, "reference": { "reference": actor(code) } }]);
        let setting = Setting::new().consents(&[ruled("actor", &named)]).sends(&[observation("o1", "718-7")]);
        assert_eq!(known::is_role(&role), setting.outcome().starts_with("permit "), "{code}");
    }
}

#[test]
fn a_permit_below_a_deny_is_judged_with_the_request_of_the_deny() {
    let consent = root(&json!({ "type": "deny", "action": [{ "text": "x" }], "class": [{ "code": "x" }],
        "provision": [{ "type": "permit" }] }));

    assert_eq!(found(&consent, Effect::Weaker), ["Consent.provision.action[0] action-unknown"]);
}

#[test]
fn a_policy_that_denies_is_heard_beside_one_that_is_unknown() {
    let mut consent = without(permit(), "provision");
    consent["policy"] =
        json!([{ "uri": "https://profiles.ihe.net/ITI/PCF/Policy-deny" }, { "uri": "urn:example:policy" }]);

    assert_eq!(lint(&consent), []);
    assert!(Setting::new().consents(&[consent]).outcome().starts_with("deny "));
}

#[test]
fn a_consent_made_of_mistakes_is_not_told_without_end() {
    let categories: Vec<Value> = (0..1000).map(|_| json!({})).collect();

    assert_eq!(lint(&with(permit(), "category", json!(categories))).len(), 100);
}

/// A Consent with something of everything.
fn rich() -> Value {
    let role = concept("v3-ParticipationType", "IRCP");
    let mut rich = root(&json!({
        "type": "deny",
        "period": { "start": "2020-01-01", "end": "2030" },
        "actor": [{ "role": role, "reference": { "reference": "Organization/lakeside" } }],
        "securityLabel": [coding("v3-Confidentiality", "R")],
        "provision": [{
            "type": "permit",
            "action": [concept("consentaction", "disclose")],
            "purpose": [coding("v3-ActReason", "TREAT")],
            "class": [{ "system": "http://hl7.org/fhir/resource-types", "code": "Observation" }],
            "code": [{ "coding": [{ "system": "http://loinc.org", "code": "718-7" }] }],
            "dataPeriod": { "start": "2026-01-01T00:00:00Z" },
            "data": [{ "meaning": "related", "reference": { "reference": "Encounter/1" } }],
        }],
    }));
    rich["verification"] = json!([{ "verified": true, "verificationDate": "2026-01-01" }]);
    rich["organization"] = json!([{ "reference": "Organization/clinic", "identifier": { "value": "1" } }]);
    rich["policyRule"] = concept("v3-ActCode", "OPTIN");
    rich
}

/// Whom a reference elsewhere or an identifier names is known to a clinic only, not to who reads the Consent.
fn only_the_clinic_can_tell(patient: &Value) -> bool {
    let reference = patient["reference"].as_str().unwrap_or_default();
    let identifier = &patient["identifier"];
    reference.starts_with("http")
        || reference.starts_with("Patient/")
        || (identifier["system"].is_string() && identifier["value"].is_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_not_understood_is_told_and_what_is_not_told_is_understood(
        seed in any::<u64>(),
        breaks in 1..4,
        is_rich in any::<bool>(),
    ) {
        let mut broken = if is_rich { rich() } else { based("OPTIN", &json!({ "type": "permit" })) };
        let mut choice = Choice::seeded(seed);
        take_over(&mut broken, &rich(), &mut choice);
        for _ in 0..breaks {
            break_once(&mut broken, &mut choice);
        }
        let told = !only_holds(&broken).is_empty();
        match Setting::new().standing(&broken) {
            Standing::Doubtful("consent-patient-unclear") => {
                prop_assert!(told || only_the_clinic_can_tell(&broken["patient"]));
            }
            Standing::Doubtful(reason) => prop_assert!(told, "{reason}: {broken}"),
            _ => {}
        }
        prop_assert!(told || is_understood(&broken, &TimeZone::UTC), "{broken}");
    }
}

#[test]
fn the_consent_that_is_broken_is_good() {
    assert_eq!(lint(&rich()), []);
    assert_eq!(Setting::new().standing(&rich()), Standing::Counts);
}
