//! What the gateway adds at the clinic: the coordination Task, and the Provenance of everything.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::effect::EffectNames;
use crate::fhir::coding;
use crate::model::partner::{BusinessIdentifier, Partner};

/// HL7's codes for Tasks (FHIR R4, code system task-code).
pub const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";

/// Who takes part, and when it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    /// Who sent the referral.
    pub partner: &'a Partner,
    /// The clinic's name.
    pub clinic_name: &'a str,
    /// The clinic's business identifier.
    pub clinic: &'a BusinessIdentifier,
    /// Our public address.
    pub public_url: &'a str,
    /// When the referral arrived.
    pub received: Timestamp,
}

/// The one coordination Task at the clinic: fulfil this order. Named both in `focus` and in `basedOn`,
/// since guides disagree which of the two links a Task to its order.
pub fn coordination_task(
    names: &EffectNames,
    parties: &Parties<'_>,
    order: &OrderLinks<'_>,
    placer_task: Option<&Value>,
) -> Value {
    let mut identifiers = vec![names.identifier("task")];
    identifiers.extend(order.placer_task_identifiers.iter().cloned());
    let mut task = json!({
        "resourceType": "Task",
        "identifier": identifiers,
        "basedOn": [{ "reference": order.service_request, "type": "ServiceRequest" }],
        "status": "requested",
        "intent": "order",
        "code": coding::concept(TASK_CODE, "fulfill"),
        "focus": { "reference": order.service_request, "type": "ServiceRequest" },
        "for": { "reference": order.patient, "type": "Patient" },
        "authoredOn": parties.received.to_string(),
        "lastModified": parties.received.to_string(),
        "requester": organization(&parties.partner.organization, &parties.partner.name),
        "owner": organization(parties.clinic, parties.clinic_name),
    });
    if let Some(identifier) = order.placer_task_identifiers.first() {
        task["partOf"] = json!([{ "type": "Task", "identifier": identifier }]);
    }
    for element in TAKEN_OVER {
        if let Some(value) = placer_task.and_then(|it| it.get(element)) {
            task[element] = value.clone();
        }
    }
    task
}

/// The elements of the placer's Task that the clinic's has from it, besides its identifiers.
pub const TAKEN_OVER: [&str; 6] = ["priority", "description", "reasonCode", "note", "restriction", "input"];

/// What a coordination Task points to.
#[derive(Clone, Copy, Debug)]
pub struct OrderLinks<'a> {
    /// The filler order's address in the transaction.
    pub service_request: &'a str,
    /// The patient's.
    pub patient: &'a str,
    /// The identifiers of the placer's own Task.
    pub placer_task_identifiers: &'a [Value],
}

/// Where everything comes from: who sent it, when, and that it came through us.
pub fn provenance(
    names: &EffectNames,
    parties: &Parties<'_>,
    targets: &[&str],
    order: Option<&Value>,
) -> Value {
    let targets: Vec<Value> = targets.iter().map(|it| json!({ "reference": it })).collect();
    let mut provenance = json!({
        "resourceType": "Provenance",
        "meta": { "tag": [names.tag("provenance")] },
        "target": targets,
        "recorded": parties.received.to_string(),
        "activity": coding::concept("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE"),
        "agent": [
            {
                "type": coding::concept(AGENT, "author"),
                "who": organization(&parties.partner.organization, &parties.partner.name),
            },
            {
                "type": coding::concept(AGENT, "assembler"),
                "who": {
                    "type": "Device",
                    "identifier": { "system": "urn:ietf:rfc:3986", "value": parties.public_url },
                    "display": "Referral Gateway",
                },
            },
        ],
    });
    if let Some(order) = order {
        provenance["entity"] =
            json!([{ "role": "source", "what": { "type": "ServiceRequest", "identifier": order } }]);
    }
    provenance
}

const AGENT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

/// A reference to an organisation by its business identifier.
pub fn organization(identifier: &BusinessIdentifier, name: &str) -> Value {
    json!({
        "type": "Organization",
        "identifier": { "system": identifier.system, "value": identifier.value },
        "display": name,
    })
}
