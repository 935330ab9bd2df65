//! Who wrote it (consent S7.8, `authoredby`; and actors in the role of an author).

use serde_json::Value;

use crate::consent::answer::Kind;
use crate::consent::disclosure::Party;
use crate::consent::matching::circle::Circle;
use crate::consent::matching::literal::{Literal, type_of};
use crate::consent::payload::node::Role;
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::fhir::coding;
use crate::fhir::resource::is_named;

/// The elements in which resources record who answers for their content.
const AUTHORS: [&str; 7] =
    ["author", "performer", "sender", "recorder", "asserter", "requester", "resultsInterpreter"];

/// Whether the node was written by whom a reference names. A permit needs all recorded authors, a deny any.
pub fn is_by(question: &Question<'_>, named: &Value, kind: Kind) -> Truth {
    if question.node.role == Role::Accompanying {
        return Truth::False;
    }
    let authors = question.node.authors(|| circles(question));
    let each = authors.iter().map(|it| is(question, it, named, kind));
    match kind {
        _ if authors.is_empty() => kind.doubt(),
        Kind::Permit => Truth::all(each),
        Kind::Deny => Truth::any(each),
    }
}

/// Of every author, all names. They are worked out once for a node, whatever rule asks.
fn circles(question: &Question<'_>) -> Vec<Circle> {
    let mut authors = authors_of(question.node.resource);
    if authors.is_empty() {
        authors = question.node.container.map(authors_of).unwrap_or_default();
    }
    authors.into_iter().map(|it| circle_of(question, it)).collect()
}

fn authors_of(resource: &Value) -> Vec<&Value> {
    let elements = AUTHORS.iter().filter_map(|it| resource.get(*it));
    let flat = elements.flat_map(|it| it.as_array().map_or_else(|| vec![it], |list| list.iter().collect()));
    flat.map(|it| it.get("actor").unwrap_or(it)).collect()
}

/// Whether one author is the one named, an organisation that it writes for, or the person behind a role.
fn is(question: &Question<'_>, circle: &Circle, named: &Value, kind: Kind) -> Truth {
    let literal = named["reference"].as_str().map(|it| match question.situation.literal(it) {
        Literal::Local(name) => by_name(question, circle, name, kind),
        Literal::Elsewhere(address) if circle.has_name(address) => Truth::True,
        _ => Truth::Unknown,
    });
    let identifier = named.get("identifier").map(|it| circle.compare_identifier(it, kind));
    match literal.into_iter().chain(identifier).max() {
        Some(Truth::Unknown) | None => kind.doubt(),
        Some(certain) => certain,
    }
}

/// Another name of the same type is somebody else; of another type, only if what ties them is known.
fn by_name(question: &Question<'_>, circle: &Circle, name: &str, kind: Kind) -> Truth {
    if circle.has_name(name) {
        return Truth::True;
    }
    let same_type = circle.names.iter().any(|it| type_of(it) == type_of(name));
    match type_of(name) {
        _ if same_type => circle.compare_name(name, question.situation.find(name)),
        "Organization" | "PractitionerRole" | "Group" | "CareTeam" => kind.doubt(),
        "Practitioner" if circle.names.iter().any(|it| type_of(it) == "PractitionerRole") => kind.doubt(),
        _ if circle.names.is_empty() => kind.doubt(),
        _ => Truth::False,
    }
}

/// An author with the organisations and the person that its roles name.
fn circle_of(question: &Question<'_>, author: &Value) -> Circle {
    let situation = question.situation;
    let disclosure = situation.disclosure;
    let mut parties = vec![party(question, author)];
    let name = parties[0].reference.clone().unwrap_or_default();
    let roles = disclosure.directory.iter().filter(|it| it["resourceType"] == "PractitionerRole");
    let held = roles.filter(|role| is_named(role, &name) || names(question, &role["practitioner"], &name));
    parties.extend(held.map(|role| party(question, &role["organization"])));
    let parties: Vec<&Party> = parties.iter().collect();
    Circle::around(&parties, disclosure.directory, &disclosure.clinic.base)
}

fn names(question: &Question<'_>, reference: &Value, name: &str) -> bool {
    let literal = reference["reference"].as_str().map(|it| question.situation.literal(it));
    literal == Some(Literal::Local(name))
}

/// Whom a reference in the data names. A contained one is known by its identifiers.
fn party(question: &Question<'_>, reference: &Value) -> Party {
    let mut party = Party::default();
    match reference["reference"].as_str().map(|it| question.situation.literal(it)) {
        Some(Literal::Local(name) | Literal::Elsewhere(name)) => party.reference = Some(name.to_owned()),
        Some(Literal::Contained(id)) => {
            let holder = question.node.container.unwrap_or(question.node.resource);
            let contained = items(&holder["contained"]).filter(|it| it["id"] == id);
            let identifiers = contained.flat_map(coding::identifiers);
            party
                .identifiers
                .extend(identifiers.map(|(system, value)| (system.to_owned(), value.to_owned())));
        }
        Some(Literal::Unclear) | None => {}
    }
    let identifier = &reference["identifier"];
    if let (Some(system), Some(value)) = (identifier["system"].as_str(), identifier["value"].as_str()) {
        party.identifiers.push((system.to_owned(), value.to_owned()));
    }
    party
}
