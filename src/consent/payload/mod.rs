//! What would be sent, taken apart into what is decided one by one (consent S8).

pub mod node;
pub mod subject;

use serde_json::Value;

use super::disclosure::Disclosure;
use super::labels::label::Label;
use super::labels::{inline_on, stated_on};
use crate::fhir::resource::name_of;
use crate::fhir::{bundle, resource};
use node::{Node, Place, Role};

/// One resource of what would be sent.
#[derive(Debug)]
pub struct Item<'a> {
    /// The resource.
    pub node: Node<'a>,
    /// Its contained resources and its elements with labels of their own.
    pub parts: Vec<Node<'a>>,
    /// Without it nothing goes: the resource itself, or the first entry of a document or message.
    pub is_carrier: bool,
}

/// Resources that say nothing clinical and go along with those that do.
const ACCOMPANYING: [&str; 9] = [
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "HealthcareService",
    "Endpoint",
    "Medication",
    "Substance",
    "Patient",
];

/// Takes a payload apart. What travels along with the first resource is like an entry of a Bundle. Empty:
/// there is nothing to decide on, or a part that cannot be decided.
pub fn items<'a>(disclosure: &Disclosure<'a>) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for (number, resource) in disclosure.resources.iter().enumerate() {
        let place = Place::root(number);
        let new = match (resource::resource_type(resource), items.first()) {
            ("Bundle", _) => of_bundle(disclosure, resource, &place),
            ("Binary", Some(first)) => vec![file(first, resource, place)],
            _ => vec![item(disclosure, resource, place, (&[], number == 0))],
        };
        if new.is_empty() || !new.iter().all(|it| holds_resources(it.node.resource)) {
            return Vec::new();
        }
        items.extend(new);
    }
    let has_clinical = items.iter().any(|it| it.node.role == Role::Clinical);
    for it in &mut items {
        if !has_clinical || (it.is_carrier && !is_header(it.node.resource)) {
            // Nothing to accompany: then it is decided like everything else.
            it.node.role = Role::Clinical;
        }
    }
    items
}

/// Whether what is contained can be decided.
fn holds_resources(resource: &Value) -> bool {
    resource
        .get("contained")
        .is_none_or(|it| it.as_array().is_some_and(|list| list.iter().all(Value::is_object)))
}

fn of_bundle<'a>(disclosure: &Disclosure<'a>, of: &'a Value, place: &Place) -> Vec<Item<'a>> {
    let decidable =
        |entry: &Value| entry["resource"].is_object() && entry["response"].get("outcome").is_none();
    if !bundle::entries(of).all(decidable) {
        return Vec::new();
    }
    let has_carrier = matches!(of["type"].as_str(), Some("document" | "message"));
    let unexplained = unexplained_labels(of);
    let entries = bundle::entries(of).enumerate().map(|(number, entry)| {
        let place = place.entry(number);
        item(disclosure, &entry["resource"], place, (&unexplained, has_carrier && number == 0))
    });
    entries.collect()
}

/// A Bundle bears the highest labels of its entries. Those that no entry explains hold for each of them.
fn unexplained_labels(of: &Value) -> Vec<Label> {
    let of_entries: Vec<Label> = bundle::resources(of).flat_map(stated_on).collect();
    stated_on(of).into_iter().filter(|it| !of_entries.contains(it)).collect()
}

/// A Binary that travels along is a file of the first resource, whose labels hold for it too.
fn file<'a>(first: &Item<'a>, binary: &'a Value, place: Place) -> Item<'a> {
    let name = name_of(binary);
    let node = first.node.with_file(binary, (place, name), &stated_on(binary));
    Item { node, parts: Vec::new(), is_carrier: false }
}

fn item<'a>(
    disclosure: &Disclosure<'a>,
    resource: &'a Value,
    place: Place,
    (inherited, is_carrier): (&[Label], bool),
) -> Item<'a> {
    let lists = &disclosure.clinic.lists;
    let mut stated = stated_on(resource);
    stated.extend(inherited.iter().cloned());
    let name = name_of(resource);
    let node = Node::new(resource, (place, name), stated, lists).in_role(accompanies);
    let contained = resource["contained"].as_array().into_iter().flatten().enumerate();
    let mut parts: Vec<Node<'a>> = contained
        .map(|(number, it)| {
            let name = format!("{}#{}", node.name, resource::id(it));
            let place = (node.place.contained(number), name);
            Node::new(it, place, [stated_on(it), node.labels.stated.clone()].concat(), lists)
                .in_role(accompanies)
                .inside(resource)
        })
        .collect();
    labelled_elements(resource, &node, &node.place, &mut parts);
    Item { node, parts, is_carrier }
}

/// Elements with a label of their own, contained resources left out.
fn labelled_elements<'a>(value: &'a Value, node: &Node<'a>, place: &Place, parts: &mut Vec<Node<'a>>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            // The extensions of a primitive stand beside it, under its name with an underscore.
            let own = map.iter().filter(|(key, _)| *key != "contained");
            own.map(|(key, it)| (key.trim_start_matches('_').to_owned(), it)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(number, it)| (number.to_string(), it)).collect(),
        _ => return,
    };
    for (step, child) in children {
        let place = place.child(&step);
        let labels = inline_on(child);
        if labels.is_empty() {
            labelled_elements(child, node, &place, parts);
        } else {
            parts.push(node.element(place, &labels));
        }
    }
}

/// Whether a resource accompanies others; with more than normal confidentiality it is decided by itself.
fn accompanies(node: &Node<'_>) -> bool {
    let resource_type = resource::resource_type(node.resource);
    let ordinary = node.labels.confidentiality <= crate::model::policy::Confidentiality::Normal;
    (ACCOMPANYING.contains(&resource_type) && ordinary) || is_header(node.resource)
}

fn is_header(resource: &Value) -> bool {
    resource::resource_type(resource) == "MessageHeader"
}
