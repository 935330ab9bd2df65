//! A person in a role is named.

use serde_json::Value;

use super::Look;
use super::organization::is_department;
use crate::consent::matching::literal::Literal;
use crate::consent::truth::Truth;

/// Somebody at some organisation: both must be the receiver's.
pub fn names(look: &Look<'_>, name: &str) -> Truth {
    let Some(record) = look.situation.find(name) else {
        return Truth::Unknown;
    };
    let named = match &look.situation.person {
        None => match place(look, record) {
            Truth::False => Truth::False,
            _ => look.kind.doubt(),
        },
        Some(_) => match (person(look, record), place(look, record)) {
            (Truth::False, _) => Truth::False,
            // The same person at another place: what one gets there, one knows here.
            (Truth::True, Truth::False) => look.kind.doubt(),
            (person, place) => person.and(place),
        },
    };
    match is_active(look, record) {
        Truth::True => named,
        _ if named == Truth::False => Truth::False,
        _ => look.kind.doubt(),
    }
}

/// Whether a role is active, now.
pub fn is_active(look: &Look<'_>, role: &Value) -> Truth {
    Truth::from(role["active"] != false).and(look.is_current(role))
}

/// Whether the role's organisation is the receiver or a part of it. A role without one may be anywhere.
pub fn place(look: &Look<'_>, role: &Value) -> Truth {
    let circle = &look.situation.organization;
    match role["organization"]["reference"].as_str().map(|it| look.situation.literal(it)) {
        Some(Literal::Local(name)) => {
            let record = look.situation.find(name);
            let within = record.is_some_and(|it| is_department(look, it));
            circle.compare_name(name, record).or(within.into())
        }
        Some(Literal::Elsewhere(address)) if circle.has_name(address) => Truth::True,
        Some(_) => Truth::Unknown,
        None => role["organization"]
            .get("identifier")
            .map_or(Truth::Unknown, |it| circle.compare_identifier(it, look.kind)),
    }
}

fn person(look: &Look<'_>, role: &Value) -> Truth {
    let Some(circle) = &look.situation.person else {
        return Truth::Unknown;
    };
    match role["practitioner"]["reference"].as_str().map(|it| look.situation.literal(it)) {
        Some(Literal::Local(name)) => circle.compare_name(name, look.situation.find(name)),
        Some(Literal::Elsewhere(address)) if circle.has_name(address) => Truth::True,
        _ => role["practitioner"]
            .get("identifier")
            .map_or(Truth::Unknown, |it| circle.compare_identifier(it, look.kind)),
    }
}
