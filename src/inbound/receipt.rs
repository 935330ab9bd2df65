//! The answer to a referral: the same for the first submission and for every repeat of it.

use serde_json::{Value, json};

use super::consent_faults::with_consent_faults;
use super::{House, InboundError};
use crate::fhir::resource;
use crate::model::ids::ReferralId;
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::model::referral_state::ReferralState;
use crate::translation::coordination::Parties;
use crate::translation::dialects::say_state;
use crate::translation::placer::Placer;
use crate::translation::receipt::receipt_task;
use crate::translation::submission::Submission;

/// What a partner is told about its submission.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The referral.
    pub referral: ReferralId,
    /// The submission was known.
    pub repeated: bool,
    /// The coordination Task.
    pub task: Value,
    /// The `transaction-response` for a Bundle; none for a single ServiceRequest.
    pub transaction_response: Option<Value>,
}

/// Makes the receipt of a recorded referral.
pub fn of(
    referral: &Referral,
    repeated: bool,
    message: &Value,
    house: &House,
    partner: &Partner,
) -> Result<Receipt, InboundError> {
    let rules = &house.dialects.of(partner.dialect)?.rules;
    let submission = Submission::of(message);
    let placer = Placer::of(&submission);
    let parties = parties(house, partner, referral);
    let mut task = receipt_task(referral, &placer, &parties);
    say_state(&mut task, rules, ReferralState::New);
    let is_bundle = resource::resource_type(message) == "Bundle";
    let transaction_response =
        is_bundle.then(|| transaction_response(referral, &placer, &task, &house.public_url));
    let transaction_response =
        transaction_response.map(|it| with_consent_faults(it, &submission, &house.time_zone));
    Ok(Receipt { referral: referral.id, repeated, task, transaction_response })
}

/// Who takes part in a referral.
pub(super) fn parties<'a>(house: &'a House, partner: &'a Partner, referral: &Referral) -> Parties<'a> {
    Parties {
        partner,
        clinic_name: &house.clinic_name,
        clinic: &house.clinic,
        public_url: &house.public_url,
        received: referral.received,
    }
}

/// One entry for each of the request's, in its order (FHIR R4, http, transaction response). The coordination
/// Task answers the placer's Task; where there was none, it stands at the end.
fn transaction_response(referral: &Referral, placer: &Placer, task: &Value, public_url: &str) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    let mut has_task = false;
    for (number, part) in placer.parts.iter().enumerate() {
        if part.resource_type == "Task" {
            has_task = true;
            entries.push(task_entry(referral, task, public_url));
        } else {
            let id = hosted_id(referral.id, &part.resource_type, number);
            let location = format!("{public_url}/fhir/{}/{id}/_history/1", part.resource_type);
            entries.push(json!({ "response": created(&location, "1", referral) }));
        }
    }
    if !has_task {
        entries.push(task_entry(referral, task, public_url));
    }
    json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": entries })
}

fn task_entry(referral: &Referral, task: &Value, public_url: &str) -> Value {
    let address = format!("{public_url}/fhir/Task/{}", referral.id);
    // Without a version: it changes with the clinic's progress, and earlier versions are not kept.
    let response = created(&address, resource::version(task), referral);
    json!({ "fullUrl": address, "resource": task, "response": response })
}

fn created(location: &str, version: &str, referral: &Referral) -> Value {
    json!({
        "status": "201 Created",
        "location": location,
        "etag": format!("W/\"{version}\""),
        "lastModified": referral.received.to_string(),
    })
}

/// The id under which we host a part of a submission.
pub(super) fn hosted_id(referral: ReferralId, resource_type: &str, number: usize) -> String {
    if resource_type == "ServiceRequest" { referral.to_string() } else { format!("{referral}-{number}") }
}
