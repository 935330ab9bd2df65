//! Into the clinic's codes and references. Done at each attempt, so a corrected code map mends referrals
//! that wait.

use serde_json::Value;

use super::{House, receipt};
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::translation::dialects::DialectBroken;
use crate::translation::effect::EffectNames;
use crate::translation::submission::Submission;
use crate::translation::to_clinic::{ForClinic, to_clinic};

/// Translates a message that was found valid.
pub fn for_clinic(
    message: &Value,
    referral: &Referral,
    house: &House,
    partner: &Partner,
) -> Result<ForClinic, DialectBroken> {
    let maps = &house.dialects.of(partner.dialect)?.to_clinic;
    let names = EffectNames::new(&house.public_url, referral.id);
    let parties = receipt::parties(house, partner, referral);
    Ok(to_clinic(&Submission::of(message), &names, &parties, maps))
}
