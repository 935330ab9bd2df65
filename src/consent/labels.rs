//! How sensitive a resource says it is. What bears no label counts as normal here: telling sensitive data
//! by its codes belongs to the full engine.

use serde_json::Value;

use crate::model::policy::Confidentiality;

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The labels of everything that would be sent, taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The highest confidentiality.
    pub confidentiality: Confidentiality,
    /// Every sensitivity code of v3-ActCode.
    pub sensitivities: Vec<String>,
    /// There is a label that we do not know.
    pub has_unknown: bool,
}

impl Labels {
    /// Whether a Consent that names no sensitivity covers it.
    pub fn is_ordinary(&self) -> bool {
        !self.has_unknown && self.sensitivities.is_empty() && self.confidentiality <= Confidentiality::Normal
    }
}

/// The labels of some resources and of what they contain. A sensitivity makes them restricted (consent (b)).
pub fn highest(resources: &[Value]) -> Labels {
    let mut labels =
        Labels { confidentiality: Confidentiality::Normal, sensitivities: Vec::new(), has_unknown: false };
    for resource in resources {
        read(resource, &mut labels);
    }
    if !labels.sensitivities.is_empty() {
        labels.confidentiality = labels.confidentiality.max(Confidentiality::Restricted);
    }
    labels
}

/// Labels may stand in any `security` list, also of an element (DS4P inline labels).
fn read(value: &Value, labels: &mut Labels) {
    match value {
        Value::Object(map) => {
            for label in map.get("security").and_then(Value::as_array).into_iter().flatten() {
                add(label, labels);
            }
            map.values().for_each(|child| read(child, labels));
        }
        Value::Array(list) => list.iter().for_each(|child| read(child, labels)),
        _ => {}
    }
}

fn add(label: &Value, labels: &mut Labels) {
    let code = label["code"].as_str().unwrap_or_default();
    match (label["system"].as_str(), Confidentiality::from_code(code)) {
        (Some(CONFIDENTIALITY), Some(level)) => labels.confidentiality = labels.confidentiality.max(level),
        (Some(ACT_CODE), _) if !code.is_empty() => labels.sensitivities.push(code.to_owned()),
        _ => labels.has_unknown = true,
    }
}
