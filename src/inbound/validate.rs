//! Against the structure of FHIR R4 and the rules of a referral; every violation at once.

use super::open::Opened;
use super::{House, InboundError};
use serde_json::Value;

use crate::fhir::bundle;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::model::envelope::{Door, Envelope};
use crate::model::partner::Partner;
use crate::validation::{self, Form, ProfileFault, Rules};

/// Refuses a message that cannot be taken as a referral of this partner.
pub fn message(
    opened: &Opened,
    envelope: &Envelope,
    house: &House,
    partner: &Partner,
) -> Result<(), InboundError> {
    let issues = violations(opened, envelope, house, partner)?;
    if issues.is_empty() { Ok(()) } else { Err(InboundError::Invalid(issues)) }
}

/// Everything that is wrong with a message that this door takes.
pub fn violations(
    opened: &Opened,
    envelope: &Envelope,
    house: &House,
    partner: &Partner,
) -> Result<Vec<Issue>, InboundError> {
    // Before anything is recorded: what is answered and written needs it.
    let dialect = &house.dialects.of(partner.dialect)?.rules;
    let rules = &rules(house, partner)?;
    let form = match envelope.door {
        _ if envelope.gathered.is_some() => Form::Collection,
        Door::Task => Form::Collection,
        Door::Transaction | Door::ServiceRequest => Form::Transaction,
        Door::Message => Form::Message,
    };
    let mut issues = validation::check_form(opened.message(), form, rules);
    if let Some(of_guide) = dialect.message.as_ref().filter(|_| envelope.door == Door::Message) {
        issues.extend(header_without(opened.message(), &of_guide.header_needs));
    }
    let mut issues = opened.as_sent(issues);
    if let Some(gathered) = &envelope.gathered {
        for issue in &mut issues {
            tell_place_as_sent(issue, &gathered.places);
        }
    }
    Ok(issues)
}

/// What the partner's guide wants of a MessageHeader and is not there. `needs`: paths such as `destination.receiver`.
pub(super) fn header_without(message: &Value, needs: &[String]) -> Vec<Issue> {
    let Some(header) = bundle::header(message) else {
        return Vec::new();
    };
    let missing = needs.iter().filter(|path| !is_there(header, path));
    let issue = |path: &String| {
        let text = "Send this: the guide that was agreed on needs it in every message.";
        Issue::error(IssueKind::Required, "SEND_MESSAGE_HEADER", text)
            .at(format!("Bundle.entry[0].resource.{path}"))
    };
    missing.map(issue).collect()
}

fn is_there(element: &Value, path: &str) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let within = |it: &Value| rest.is_none_or(|rest| is_there(it, rest));
    match element.get(name) {
        Some(Value::Array(all)) => all.iter().any(within),
        Some(found) => within(found),
        None => false,
    }
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
fn rules(house: &House, partner: &Partner) -> Result<Rules, InboundError> {
    let named = partner.profiles.iter().map(String::as_str);
    if !partner.profiles.is_empty() {
        return Ok(house.profiles.rules(named)?);
    }
    let wanted = &house.dialects.of(partner.dialect)?.rules.profiles;
    let is_here = |url: &&str| !matches!(house.profiles.rules([*url]), Err(ProfileFault::Unknown(_)));
    Ok(house.profiles.rules(wanted.iter().map(String::as_str).filter(is_here))?)
}
