//! A person is named.

use serde_json::Value;

use super::Look;
use super::role::{is_active, place};
use crate::consent::answer::Kind;
use crate::consent::matching::literal::Literal;
use crate::consent::truth::Truth;

/// To a person, it is that person or another. To an organisation, a permit for a person does not reach it,
/// and a deny of a person who works there, or of whom nothing is known, may.
pub fn names(look: &Look<'_>, name: &str) -> Truth {
    let record = look.situation.find(name);
    if record.is_some_and(|it| look.has_its_identifier(it)) {
        return Truth::True;
    }
    match (&look.situation.person, look.kind) {
        (Some(person), _) => person.compare_name(name, record),
        (None, Kind::Permit) => Truth::False,
        (None, Kind::Deny) => works_there(look, name),
    }
}

fn works_there(look: &Look<'_>, name: &str) -> Truth {
    let roles = look.situation.disclosure.directory.iter().filter(|it| is_role_of(look, it, name));
    let places: Vec<Truth> =
        roles.filter(|it| is_active(look, it) != Truth::False).map(|it| place(look, it)).collect();
    let only_elsewhere = !places.is_empty() && places.iter().all(|it| *it == Truth::False);
    if only_elsewhere { Truth::False } else { Truth::Unknown }
}

fn is_role_of(look: &Look<'_>, record: &Value, name: &str) -> bool {
    let person = record["practitioner"]["reference"].as_str().map(|it| look.situation.literal(it));
    record["resourceType"] == "PractitionerRole" && person == Some(Literal::Local(name))
}
