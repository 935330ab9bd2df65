//! Against the structure of FHIR R4 and the rules of a referral; every violation at once.

use super::open::Opened;
use super::{House, InboundError};
use crate::model::partner::Partner;
use crate::validation;

/// Refuses a message that cannot be taken as a referral of this partner.
pub fn message(opened: &Opened, house: &House, partner: &Partner) -> Result<(), InboundError> {
    let profiles = partner.profiles.iter().map(String::as_str);
    let rules = &house.profiles.rules(profiles)?;
    let issues = opened.as_sent(validation::check_message(opened.message(), rules));
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}
