//! What must hold for everything in a message: references lead somewhere, nothing changes the meaning unseen.

use std::collections::HashSet;

use serde_json::Value;

use crate::fhir::message_index::{Entry, MessageIndex, contained};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{Target, target};
use crate::fhir::resource::resource_type;
use crate::validation::{Rules, place, targets, walk};

/// Whatever says that the content means something else than it seems to. We understand none of it,
/// and may not ignore it (FHIR R4, extensibility, modifier extensions; Resource.implicitRules).
pub(super) fn modifiers(message: &Value) -> Vec<Issue> {
    let mut issues = Vec::new();
    walk::objects(message, &mut |way, object| {
        for name in ["modifierExtension", "implicitRules"] {
            if object.contains_key(name) {
                issues.push(modifier(&walk::place(resource_type(message), way), name));
            }
        }
    });
    issues
}

/// The literal references that lead nowhere. One to another server may lead there.
pub(super) fn references(index: &MessageIndex<'_>) -> Vec<Issue> {
    index.entries().iter().flat_map(|it| broken(index, it)).collect()
}

/// The references that lead to a resource of a type that does not belong there.
pub(super) fn targets(index: &MessageIndex<'_>) -> Vec<Issue> {
    let of = |entry: &Entry<'_>| {
        targets::check(entry.resource, &entry.at, &|it| {
            index.resolve(it, entry).map(|it| resource_type(it).to_owned())
        })
    };
    index.entries().iter().flat_map(of).collect()
}

/// What the profiles ask for that the sender's resources must meet.
pub(super) fn profiles(index: &MessageIndex<'_>, rules: &Rules) -> Vec<Issue> {
    let of = |entry: &Entry<'_>| {
        rules.check(entry.resource, &entry.at, &|it| {
            index.resolve(it, entry).map(|it| resource_type(it).to_owned())
        })
    };
    index.entries().iter().flat_map(of).collect()
}

/// Contained resources that nothing refers to and that refer to nothing around them (FHIR R4, dom-3).
pub(super) fn unused(index: &MessageIndex<'_>) -> Vec<Issue> {
    index.entries().iter().flat_map(unused_in).collect()
}

fn unused_in(entry: &Entry<'_>) -> Vec<Issue> {
    if contained(entry.resource).next().is_none() {
        return Vec::new();
    }
    let mut named: HashSet<&str> = HashSet::new();
    walk::objects(entry.resource, &mut |_, object| {
        let texts = object.values().filter_map(Value::as_str);
        named.extend(texts.filter_map(|it| it.strip_prefix('#')));
    });
    let mut issues = Vec::new();
    for (number, it) in contained(entry.resource).enumerate() {
        let is_named = it["id"].as_str().is_some_and(|it| named.contains(it));
        let mut points_out = false;
        walk::objects(it, &mut |_, object| points_out |= object.get("reference") == Some(&Value::from("#")));
        if !is_named && !points_out {
            let text = "Refer to the contained resource, or leave it out.";
            let issue = Issue::error(IssueKind::Invariant, "SEND_CONTAINED_UNUSED", text);
            issues.push(issue.at(format!("{}.contained[{number}]", entry.at)));
        }
    }
    issues
}

fn modifier(at: &str, name: &str) -> Issue {
    let text = format!("Send the resource without `{name}`: this gateway understands none.");
    Issue::error(IssueKind::NotSupported, "SEND_MODIFIER_EXTENSION", text).at(place::child(at, name))
}

fn broken(index: &MessageIndex<'_>, entry: &Entry<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    walk::objects(entry.resource, &mut |way, object| {
        let reference = object.get("reference").and_then(Value::as_str).filter(|it| !it.is_empty());
        let fault = reference.and_then(|it| fault(index, entry, it));
        issues.extend(fault.map(|it| it.at(walk::place(&entry.at, way))));
    });
    issues
}

fn fault(index: &MessageIndex<'_>, entry: &Entry<'_>, reference: &str) -> Option<Issue> {
    if index.resolve(reference, entry).is_some() {
        return None;
    }
    let text = match target(reference) {
        Target::Absolute(_) => return None,
        Target::Unclear(_) => {
            let text = "Write the reference as `#id`, `urn:uuid:…`, `Type/id` or a complete http(s) address.";
            return Some(Issue::error(IssueKind::Value, "SEND_REFERENCE_MALFORMED", text));
        }
        Target::Contained(_) => "Send the resource that is referred to in `contained` of the same resource.",
        Target::Urn(_) | Target::Relative { .. } => {
            "Send the resource that is referred to in the same message."
        }
    };
    Some(Issue::error(IssueKind::Value, "SEND_REFERENCE_UNRESOLVED", text))
}
