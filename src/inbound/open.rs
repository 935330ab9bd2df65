//! Bytes → one FHIR message, of the type that its door takes.

use serde_json::Value;

use super::InboundError;
use crate::fhir::{json, resource};
use crate::model::envelope::{Door, Envelope};

/// Reads the body. Whether it is a referral is not yet said.
pub fn message(envelope: &Envelope) -> Result<Value, InboundError> {
    let message = json::parse(envelope.body.reveal())?;
    if resource::resource_type(&message) == expected(envelope.door) {
        Ok(message)
    } else {
        Err(InboundError::WrongDoor(envelope.door))
    }
}

const fn expected(door: Door) -> &'static str {
    match door {
        // A Task comes with what was gathered for it.
        Door::Transaction | Door::Message | Door::Task => "Bundle",
        Door::ServiceRequest => "ServiceRequest",
    }
}
