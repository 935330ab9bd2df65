//! How a reduced payload came about.

use serde_json::{Value, json};

use super::Facts;
use crate::fhir::coding::concept;

/// A Provenance over what goes out: made from this version at the clinic, with something taken out, by us
/// (reference: consent S11). It says that there was more, so it stays on record and does not travel.
pub fn provenance(facts: &Facts<'_>) -> Value {
    let author = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    json!({
        "resourceType": "Provenance",
        "target": [{ "identifier": {
            "system": facts.gateway,
            "value": facts.delivery.map(|it| it.to_string()),
        } }],
        "recorded": facts.at.to_string(),
        "activity": concept("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "REDACTED"),
        "agent": [{
            "type": concept(author, "assembler"),
            "who": { "identifier": { "value": facts.gateway } },
            "onBehalfOf": { "identifier": {
                "system": facts.custodian.system,
                "value": facts.custodian.value,
            } },
        }],
        "entity": [{ "role": "revision", "what": { "reference": facts.resource.to_string() } }],
    })
}
