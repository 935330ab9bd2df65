//! Against the structure of FHIR R4 and the rules of a referral; every violation at once.

use serde_json::Value;

use super::InboundError;
use crate::validation;

/// Refuses a message that cannot be taken as a referral.
pub fn message(message: &Value) -> Result<(), InboundError> {
    let issues = validation::check_message(message);
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}
