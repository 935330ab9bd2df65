//! Against the structure of FHIR R4 and the rules of a referral; every violation at once.

use super::open::Opened;
use super::{House, InboundError};
use crate::fhir::outcome::Issue;
use crate::model::envelope::{Door, Envelope};
use crate::model::partner::Partner;
use crate::translation::dialects::Dialects;
use crate::validation::{self, Form, ProfileFault, ProfileLibrary, Rules};

/// Refuses a message that cannot be taken as a referral of this partner.
pub fn message(
    opened: &Opened,
    envelope: &Envelope,
    house: &House,
    partner: &Partner,
) -> Result<(), InboundError> {
    let issues = issues(opened, envelope, house, partner)?;
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}

/// Everything that is wrong with it, with places in what was sent.
pub fn issues(
    opened: &Opened,
    envelope: &Envelope,
    house: &House,
    partner: &Partner,
) -> Result<Vec<Issue>, InboundError> {
    let mut issues = violations(opened, envelope.door, house, partner)?;
    if let Some(gathered) = &envelope.gathered {
        for issue in &mut issues {
            tell_place_as_sent(issue, &gathered.places);
        }
    }
    Ok(issues)
}

/// Everything that is wrong with a message that this door takes.
pub fn violations(
    opened: &Opened,
    door: Door,
    house: &House,
    partner: &Partner,
) -> Result<Vec<Issue>, InboundError> {
    // Before anything is recorded: what is answered and written needs it.
    house.dialects.of(partner.dialect)?;
    let rules = &rules(&house.profiles, &house.dialects, partner)?;
    let form = match door {
        Door::Transaction | Door::ServiceRequest => Form::Transaction,
        Door::Message => Form::Message,
        Door::Task => Form::Collection,
    };
    Ok(opened.as_sent(validation::check_form(opened.message(), form, rules)))
}

/// The sender knows of no Bundle where it sent a Task.
fn tell_place_as_sent(issue: &mut Issue, places: &[String]) {
    for expression in &mut issue.expression {
        let entry = expression.strip_prefix("Bundle.entry[").and_then(|it| it.split_once("].resource"));
        let place = entry.and_then(|(number, rest)| Some((places.get(number.parse::<usize>().ok()?)?, rest)));
        if let Some((place, rest)) = place {
            *expression = format!("{place}{rest}");
        }
    }
}

/// The profiles that the partner's file names; where it names none, those of its guide whose definitions are here.
pub fn rules(
    profiles: &ProfileLibrary,
    dialects: &Dialects,
    partner: &Partner,
) -> Result<Rules, InboundError> {
    let named = partner.profiles.iter().map(String::as_str);
    if !partner.profiles.is_empty() {
        return Ok(profiles.rules(named)?);
    }
    let wanted = &dialects.of(partner.dialect)?.rules.profiles;
    let is_here = |url: &&str| !matches!(profiles.rules([*url]), Err(ProfileFault::Unknown(_)));
    Ok(profiles.rules(wanted.iter().map(String::as_str).filter(is_here))?)
}
