//! AuditEvents.

use serde_json::{Value, json};

use super::Facts;
use crate::fhir::coding::concept;
use crate::model::ids::AuditId;
use crate::model::partner::BusinessIdentifier;
use crate::model::update::DecisionNote;

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const PROFILES: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// Consent was asked (BALP, AuthZconsent).
pub(super) fn decision(facts: &Facts<'_>, id: AuditId, note: &DecisionNote) -> Value {
    let mut event = event(facts, id, note);
    event["meta"] = json!({ "profile": [format!("{PROFILES}/IHE.BasicAudit.AuthZconsent")] });
    event["type"] = coding(DICOM, "110113");
    event["subtype"] =
        json!([coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Consent")]);
    event["action"] = json!("E");
    event["agent"] = json!([
        agent((DICOM, "110150"), facts.recipient, true, Some(facts.address)),
        agent(
            ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
            facts.recipient,
            false,
            None
        ),
        agent(("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV"), facts.custodian, false, None),
        authorizer(facts),
    ]);
    event
}

/// Something leaves (BALP, PrivacyDisclosure.Source).
pub(super) fn disclosure(facts: &Facts<'_>, id: AuditId, note: &DecisionNote) -> Value {
    let mut event = event(facts, id, note);
    event["meta"] = json!({ "profile": [format!("{PROFILES}/IHE.BasicAudit.PrivacyDisclosure.Source")] });
    event["type"] = coding(DICOM, "110106");
    event["subtype"] =
        json!([coding("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose")]);
    event["action"] = json!("R");
    event["agent"] = json!([
        agent((DICOM, "110153"), facts.custodian, false, Some(facts.gateway)),
        agent((DICOM, "110152"), facts.recipient, true, Some(facts.address)),
        authorizer(facts),
    ]);
    event
}

fn event(facts: &Facts<'_>, id: AuditId, note: &DecisionNote) -> Value {
    let (system, code) = facts.purpose;
    json!({
        "resourceType": "AuditEvent",
        "id": id.to_string(),
        "recorded": facts.at.to_string(),
        "outcome": outcome(note.outcome),
        "outcomeDesc": format!("{} by {}", note.outcome, note.rule),
        "purposeOfEvent": [concept(system, code)],
        "source": {
            "observer": { "identifier": { "value": facts.gateway } },
            "type": [coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4")],
        },
        "entity": entities(facts, note),
    })
}

/// The patient, what is asked for, and every Consent version that was read.
fn entities(facts: &Facts<'_>, note: &DecisionNote) -> Vec<Value> {
    let resource = json!({
        "what": { "reference": facts.resource.to_string() },
        "type": coding(RESOURCE_TYPES, &facts.resource.resource_type),
        "role": coding(OBJECT_ROLE, "3"),
    });
    let patient = json!({
        "what": { "reference": facts.patient },
        "type": coding(ENTITY_TYPE, "1"),
        "role": coding(OBJECT_ROLE, "1"),
    });
    let consents = note.consents.iter().map(|consent| {
        json!({
            "what": { "reference": consent },
            "type": coding(RESOURCE_TYPES, "Consent"),
            "role": coding(OBJECT_ROLE, "4"),
        })
    });
    [patient, resource].into_iter().chain(consents).collect()
}

/// Success, minor failure (it waits), serious failure (it may not go).
fn outcome(word: &str) -> &'static str {
    match word {
        "permit" | "redact" => "0",
        "hold" => "4",
        _ => "8",
    }
}

fn authorizer(facts: &Facts<'_>) -> Value {
    json!({
        "type": concept("http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver"),
        "who": { "identifier": { "value": facts.gateway } },
        "requestor": false,
    })
}

fn agent(
    (system, code): (&str, &str),
    who: &BusinessIdentifier,
    requestor: bool,
    address: Option<&str>,
) -> Value {
    let mut agent = json!({
        "type": concept(system, code),
        "who": { "identifier": { "system": who.system, "value": who.value } },
        "requestor": requestor,
    });
    if let Some(address) = address {
        agent["network"] = json!({ "address": address, "type": "5" });
    }
    agent
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": system, "code": code })
}
