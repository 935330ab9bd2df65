//! The answer to a referral: the same for the first submission and for every repeat of it.

use serde_json::{Value, json};

use super::consent_faults::{self, with_consent_faults};
use super::content::Content;
use super::record::Recorded;
use super::{House, InboundError};
use crate::fhir::outcome::operation_outcome;
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
    /// The `transaction-response`, where a transaction was sent.
    pub transaction_response: Option<Value>,
    /// What the reply says, where a message was sent.
    pub in_reply: Option<InReply>,
}

/// What a reply to a message says: the same at every repeat, so the Task is as it was at first.
#[derive(Clone, Debug)]
pub struct InReply {
    /// The Task when the referral was recorded.
    pub task: Value,
    /// An OperationOutcome with what the sender should mend, though it was taken.
    pub warnings: Option<Value>,
}

/// Makes the receipt of a recorded referral. A referral that came by another door, or in another order, is told in
/// the words in which it was recorded.
pub fn of(
    recorded: &Recorded,
    message: &Value,
    house: &House,
    partner: &Partner,
) -> Result<Receipt, InboundError> {
    let rules = &house.dialects.of(partner.dialect)?.rules;
    let Recorded { referral, repeated, message: earlier } = recorded;
    let submission = Submission::of(message);
    let known = Submission::of(earlier.as_ref().unwrap_or(message));
    let parties = parties(house, partner, referral);
    let task_of = |it: &Referral| {
        let mut task = receipt_task(it, &Placer::of(&known), &parties);
        say_state(&mut task, rules, ReferralState::New);
        task
    };
    let task = task_of(referral);
    let transaction_response = (message["type"] == "transaction").then(|| {
        let numbers = match earlier {
            Some(_) => Content::of(&submission).numbers_in(&Content::of(&known)),
            None => (0..submission.parts().len()).collect(),
        };
        let response =
            transaction_response(referral, (&Placer::of(&submission), &numbers), &task, &house.public_url);
        with_consent_faults(response, &submission, &house.time_zone)
    });
    let in_reply = (message["type"] == "message").then(|| {
        let new = Referral { clinic: None, updated: referral.received, ..referral.clone() };
        let warnings = consent_faults::warnings(&submission, &house.time_zone);
        InReply {
            task: task_of(&new),
            warnings: (!warnings.is_empty()).then(|| operation_outcome(&warnings, None)),
        }
    });
    Ok(Receipt { referral: referral.id, repeated: *repeated, task, transaction_response, in_reply })
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
/// `sent`: what was sent, and under which numbers it is hosted.
fn transaction_response(
    referral: &Referral,
    (sent, numbers): (&Placer, &[usize]),
    task: &Value,
    public_url: &str,
) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    let mut has_task = false;
    for (number, part) in numbers.iter().zip(&sent.parts) {
        if part.resource_type == "Task" {
            has_task = true;
            entries.push(task_entry(referral, task, public_url));
        } else {
            let id = hosted_id(referral.id, &part.resource_type, *number);
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
