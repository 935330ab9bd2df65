//! Bytes → one FHIR message.

use serde_json::Value;

use super::InboundError;
use crate::fhir::json;
use crate::model::envelope::Envelope;

/// Reads the body. Whether it is a referral is not yet said.
pub fn message(envelope: &Envelope) -> Result<Value, InboundError> {
    Ok(json::parse(envelope.body.reveal())?)
}
