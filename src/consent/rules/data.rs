//! `provision.data`: which instances (consent S7.8).

use serde_json::Value;

use super::author;
use crate::consent::answer::Kind;
use crate::consent::matching::literal::{Literal, type_of};
use crate::consent::question::{Question, items};
use crate::consent::truth::Truth;
use crate::fhir::resource::{is_named, name_of};
use crate::fhir::{coding, resource};

/// The types for which `related` means what refers to them: IHE PCF uses it so, against R4's words.
const OCCASIONS: [&str; 3] = ["Encounter", "EpisodeOfCare", "CarePlan"];

/// Whether the node is among the instances.
pub fn matches(question: &Question<'_>, data: &Value, kind: Kind) -> Truth {
    Truth::any(items(data).map(|it| one(question, it, kind)))
}

/// Whether an entry names the node itself: then it names what is sensitive in it (consent S8).
pub fn names_instance(question: &Question<'_>, data: &Value) -> bool {
    items(data)
        .any(|it| it["meaning"] == "instance" && is_instance(question, &it["reference"]) == Truth::True)
}

fn one(question: &Question<'_>, entry: &Value, kind: Kind) -> Truth {
    let named = &entry["reference"];
    match entry["meaning"].as_str() {
        Some("instance") => is_instance(question, named),
        Some("dependents") => is_instance(question, named).or(refers(question, named)),
        Some("related") => is_instance(question, named).or(is_related(question, named, kind)),
        Some("authoredby") => author::is_by(question, named, kind),
        _ => Truth::Unknown,
    }
}

/// Whether the node is the instance, by its id or by a business identifier. What is contained in an instance
/// is a part of it.
fn is_instance(question: &Question<'_>, named: &Value) -> Truth {
    let resources = [Some(question.node.outermost()), question.node.file];
    Truth::any(resources.into_iter().flatten().map(|it| is(question, it, named)))
}

fn is(question: &Question<'_>, resource: &Value, named: &Value) -> Truth {
    let literal = named["reference"].as_str().map(|it| match question.situation.literal(it) {
        Literal::Local(_) if resource::id(resource).is_empty() => Truth::Unknown,
        Literal::Local(name) => Truth::from(is_named(resource, name)),
        _ => Truth::Unknown,
    });
    let identifier = named.get("identifier").map(|it| has_identifier(resource, it));
    literal.into_iter().chain(identifier).max().unwrap_or(Truth::Unknown)
}

fn has_identifier(resource: &Value, wanted: &Value) -> Truth {
    let (Some(system), Some(value)) = (wanted["system"].as_str(), wanted["value"].as_str()) else {
        return Truth::Unknown;
    };
    let mut same_system = coding::identifiers(resource).filter(|(it, _)| *it == system).peekable();
    match same_system.peek() {
        None => Truth::Unknown,
        Some(_) => same_system.any(|(_, it)| it == value).into(),
    }
}

/// Whether the node refers to the named instance.
fn refers(question: &Question<'_>, named: &Value) -> Truth {
    let resource = question.node.outermost();
    match named["reference"].as_str().map(|it| question.situation.literal(it)) {
        Some(wanted @ Literal::Local(_)) => points_to(question, resource, wanted).into(),
        Some(wanted @ Literal::Elsewhere(_)) if points_to(question, resource, wanted) => Truth::True,
        _ => Truth::Unknown,
    }
}

fn points_to(question: &Question<'_>, resource: &Value, wanted: Literal<'_>) -> bool {
    match resource {
        Value::Object(map) => map.iter().any(|(name, it)| {
            let literal =
                it.as_str().filter(|_| name == "reference").map(|it| question.situation.literal(it));
            literal == Some(wanted) || points_to(question, it, wanted)
        }),
        Value::Array(list) => list.iter().any(|it| points_to(question, it, wanted)),
        _ => false,
    }
}

/// For an occasion, what refers to it; for others, what they refer to. A deny reaches both ways.
fn is_related(question: &Question<'_>, named: &Value, kind: Kind) -> Truth {
    let Some(Literal::Local(name)) = named["reference"].as_str().map(|it| question.situation.literal(it))
    else {
        return Truth::Unknown;
    };
    let of_an_occasion = OCCASIONS.contains(&type_of(name));
    let incoming = refers(question, named);
    let outgoing = match question.situation.find(name) {
        Some(target) => {
            let resource = name_of(question.node.outermost());
            Truth::from(points_to(question, target, Literal::Local(&resource)))
        }
        None if of_an_occasion => Truth::False,
        None => Truth::Unknown,
    };
    match (kind, of_an_occasion) {
        (Kind::Deny, _) => incoming.or(outgoing),
        (Kind::Permit, true) => incoming,
        (Kind::Permit, false) => outgoing,
    }
}
