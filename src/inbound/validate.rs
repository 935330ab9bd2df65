//! Against the structure of FHIR R4 and the rules of a referral; every violation at once.

use serde_json::Value;

use super::{House, InboundError};
use crate::model::partner::Partner;
use crate::validation::{self, ProfileFault, Rules};

/// Refuses a message that cannot be taken as a referral of this partner.
pub fn message(message: &Value, house: &House, partner: &Partner) -> Result<(), InboundError> {
    // Before anything is recorded: what is answered and written needs it.
    house.dialects.of(partner.dialect)?;
    let rules = &rules(house, partner)?;
    let issues = validation::check_message(message, rules);
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}

/// The profiles that the partner's file names; where it names none, those of its guide whose definitions are here.
fn rules(house: &House, partner: &Partner) -> Result<Rules, InboundError> {
    let named = partner.profiles.iter().map(String::as_str);
    if !partner.profiles.is_empty() {
        return Ok(house.profiles.rules(named)?);
    }
    let wanted = &house.dialects.of(partner.dialect)?.rules.profiles;
    let is_here = |url: &&str| !matches!(house.profiles.rules([*url]), Err(ProfileFault::Unknown(_)));
    Ok(house.profiles.rules(wanted.iter().map(String::as_str).filter(is_here))?)
}
