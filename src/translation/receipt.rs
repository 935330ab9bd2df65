//! The coordination Task that a partner sees: hosted by us, never a copy of the clinic's.

use serde_json::{Value, json};

use super::coordination::{Parties, TASK_CODE, organization};
use super::placer::Placer;
use crate::fhir::coding::{self, FILLER, typed_identifier};
use crate::model::ids::ReferralId;
use crate::model::referral::Referral;

/// The identifier by which we know a referral, for everybody outside.
pub fn referral_identifier(public_url: &str, referral: ReferralId) -> Value {
    typed_identifier(FILLER, &format!("{public_url}/fhir/referral"), &referral.to_string())
}

/// Every identifier that we were given for the order and its Task, and ours.
pub fn echoed_identifiers(placer: &Placer, public_url: &str, referral: ReferralId) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let ours = referral_identifier(public_url, referral);
    for identifier in placer.service_request.iter().chain(&placer.task).chain([&ours]) {
        if !all.contains(identifier) {
            all.push(identifier.clone());
        }
    }
    all
}

/// The coordination Task as it is before the clinic has done anything: the receipt of a referral. It says
/// nothing that the partner did not send, but that we have it and where it stands at the clinic.
pub fn receipt_task(referral: &Referral, placer: &Placer, parties: &Parties<'_>) -> Value {
    let id = referral.id.to_string();
    let order = json!({ "reference": format!("ServiceRequest/{id}"), "type": "ServiceRequest" });
    let mut task = json!({
        "resourceType": "Task",
        "id": id,
        "meta": { "versionId": version(referral), "lastUpdated": referral.updated.to_string() },
        "identifier": echoed_identifiers(placer, parties.public_url, referral.id),
        "basedOn": [order],
        "status": "requested",
        "intent": "order",
        "code": coding::concept(TASK_CODE, "fulfill"),
        "focus": order,
        "authoredOn": referral.received.to_string(),
        "lastModified": referral.updated.to_string(),
        "requester": organization(&parties.partner.organization, &parties.partner.name),
        "owner": organization(parties.clinic, parties.clinic_name),
    });
    if let Some((number, part)) =
        placer.parts.iter().enumerate().find(|(_, it)| it.resource_type == "Patient")
    {
        task["for"] = json!({ "reference": format!("Patient/{id}-{number}"), "type": "Patient" });
        if let Some(identifier) = &part.identifier {
            task["for"]["identifier"] = identifier.clone();
        }
    }
    if let Some(output) = clinic_ids(referral, parties.public_url) {
        task["output"] = output;
    }
    task
}

/// Version 1 says that we have it, version 2 that the clinic has it.
fn version(referral: &Referral) -> &'static str {
    if referral.clinic.is_some() { "2" } else { "1" }
}

/// What the clinic's server calls the order and its Task.
fn clinic_ids(referral: &Referral, public_url: &str) -> Option<Value> {
    let clinic = referral.clinic.as_ref()?;
    let named = [clinic.first("ServiceRequest"), clinic.coordination_task()];
    let outputs = named.into_iter().flatten().map(|resource| {
        json!({
            "type": {
                "coding": [{ "system": format!("{public_url}/fhir/CodeSystem/task-output"), "code": "clinic-record" }],
                "text": "The id of this at the clinic",
            },
            "valueIdentifier": {
                "system": format!("{public_url}/fhir/clinic-record"),
                "value": resource.reference(),
            },
        })
    });
    Some(Value::Array(outputs.collect()))
}
