//! The doors by which a new referral comes in besides `POST /fhir` and `POST /fhir/ServiceRequest`.

mod four;
mod message;
mod task;
mod task_faults;
mod validate;

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

/// The event of Clinical Order Workflows.
const NEW_ORDER: (&str, &str) = ("http://hl7.org/fhir/uv/cow/CodeSystem/temp", "new-order");

fn referral(seed: u64) -> Value {
    people::referral(seed, &ReferralOptions::default())
}

fn service_request(seed: u64) -> Value {
    people::service_request(seed, &ReferralOptions::default())
}

fn message(seed: u64) -> Value {
    people::message(seed, &ReferralOptions::default(), NEW_ORDER, "Task")
}

/// Of a Consent that does not say which way its root points.
fn doubtful_provision() -> Value {
    json!({ "purpose": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT" }] })
}

fn replayed(reply: &Reply) -> bool {
    reply.headers.get("idempotency-replayed").is_some_and(|it| it == "true")
}
