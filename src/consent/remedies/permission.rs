//! The Consent that the patient could give.

use serde_json::{Value, json};

use super::change::Step;
use crate::consent::disclosure::{Disclosure, Party};
use crate::consent::labels::sensitivity::{ACT_CODE, Sensitivity, is_among};
use crate::consent::payload;
use crate::consent::payload::node::Node;
use crate::model::policy::Confidentiality;

const TERMINOLOGY: &str = "http://terminology.hl7.org/CodeSystem";

/// A policy that no other Consent names, so that it is nobody's form signed again (consent S4.3).
const POLICY: &str = "urn:referral-gateway:remedy";

/// A Consent that permits this recipient and purpose; and one that also names what must be named, if anything
/// must.
pub fn steps(disclosure: &Disclosure<'_>) -> Vec<Step> {
    let items = payload::items(disclosure);
    let nodes: Vec<&Node<'_>> =
        items.iter().flat_map(|it| std::iter::once(&it.node).chain(&it.parts)).collect();
    let mut all: Vec<Sensitivity> =
        nodes.iter().flat_map(|it| it.labels.sensitivities.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    let to_be_named = &disclosure.clinic.default.explicit_consent_sensitivity;
    let names: Vec<String> =
        all.iter().filter(|it| is_among(it, to_be_named)).map(|it| (*it).to_owned()).collect();
    let plain = consent(disclosure, &rule(disclosure));
    let mut steps = vec![Step::Give(Box::new(plain), Vec::new())];
    if !names.is_empty() {
        let level = nodes.iter().map(|it| it.labels.confidentiality).max();
        let naming = naming(rule(disclosure), level.unwrap_or(Confidentiality::Normal), &all);
        steps.push(Step::Give(Box::new(consent(disclosure, &naming)), names));
    }
    steps
}

/// Who would receive it, in the words of a Consent.
pub fn recipient(disclosure: &Disclosure<'_>) -> String {
    let party = receiving(disclosure);
    let identifier = || party.identifiers.first().map(|(system, value)| format!("{system}|{value}"));
    party.reference.clone().or_else(identifier).unwrap_or_default()
}

fn receiving<'a>(disclosure: &Disclosure<'a>) -> &'a Party {
    let receiver = disclosure.receiver;
    let parties = std::iter::once(&receiver.organization)
        .chain(&receiver.practitioner)
        .chain(&receiver.practitioner_role);
    parties.into_iter().find(|it| !it.is_nobody()).unwrap_or(&receiver.organization)
}

fn consent(disclosure: &Disclosure<'_>, provision: &Value) -> Value {
    let patient = Party {
        reference: Some(disclosure.patient.reference.clone()).filter(|it| !it.is_empty()),
        identifiers: disclosure.patient.identifiers.clone(),
    };
    json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": { "coding": [coding("consentscope", "patient-privacy")] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": reference(&patient),
        "policy": [{ "uri": POLICY }],
        "provision": provision,
    })
}

fn rule(disclosure: &Disclosure<'_>) -> Value {
    json!({
        "type": "permit",
        "actor": [{
            "role": { "coding": [coding("v3-ParticipationType", "IRCP")] },
            "reference": reference(receiving(disclosure)),
        }],
        "action": [{ "coding": [coding("consentaction", disclosure.action)] }],
        "purpose": [{ "system": disclosure.purpose.system, "code": disclosure.purpose.code }],
    })
}

/// The same rule with one in it that names the sensitivities: the rest stays permitted.
fn naming(mut rule: Value, level: Confidentiality, all: &[Sensitivity]) -> Value {
    let level = if level > Confidentiality::Restricted { "V" } else { "N" };
    let labels = all.iter().map(|it| json!({ "system": ACT_CODE, "code": it }));
    let labels: Vec<Value> = std::iter::once(coding("v3-Confidentiality", level)).chain(labels).collect();
    rule["provision"] = json!([{ "type": "permit", "securityLabel": labels }]);
    rule
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": format!("{TERMINOLOGY}/{system}"), "code": code })
}

fn reference(party: &Party) -> Value {
    let mut reference = json!({});
    if let Some(literal) = &party.reference {
        reference["reference"] = json!(literal);
    }
    if let Some((system, value)) = party.identifiers.first() {
        reference["identifier"] = json!({ "system": system, "value": value });
    }
    reference
}
