//! Between R4, which everything inside is, and the version that a partner speaks. What differs is stated in
//! `profiles/versions/`; what the other version has no place for rides along as an extension and comes back.

mod coded;
mod functions;
mod keep;
mod lines;
mod map;
mod node;
mod part;
mod places;
mod report;
mod rest;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod walk;

use std::sync::LazyLock;

use serde_json::Value;

pub use lines::{MapLine, line_for};
pub use report::{Counts, Fate, Passage, Report};

use self::map::{Side, VersionMap};
use crate::fhir::resource;
use crate::model::fhir_version::FhirVersion;
use node::Node;
use report::Ledger;
use walk::Walk;

/// A resource in another version.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The resource.
    pub value: Value,
    /// What became of each of its values.
    pub report: Report,
    /// The places of elements that its own version does not know, or not in this form.
    pub unknown: Vec<String>,
}

/// Converts a resource, and what is in it, to R4.
pub fn to_r4(resource: &Value, from: FhirVersion) -> Converted {
    convert(resource, from, FhirVersion::R4)
}

/// Converts a resource of R4, and what is in it, to a partner's version.
pub fn from_r4(resource: &Value, to: FhirVersion) -> Converted {
    convert(resource, FhirVersion::R4, to)
}

/// The name that a type of R4 has in a version.
pub fn type_from_r4(name: &str, to: FhirVersion) -> &str {
    map_of(to).type_name(name, Side::Right, None)
}

/// The name in R4 of a type of a version.
pub fn type_to_r4(name: &str, from: FhirVersion) -> &str {
    map_of(from).type_name(name, Side::Left, None)
}

/// Converts between R4 and another version. Between two others there is no direct way: R4 is between them.
fn convert(value: &Value, from: FhirVersion, to: FhirVersion) -> Converted {
    let name = resource::resource_type(value);
    let to_side = if to == FhirVersion::R4 { Side::Left } else { Side::Right };
    let map = map_of(if to_side == Side::Left { from } else { to });
    let mut places = Vec::new();
    let root = Node::read(value, name, &mut places);
    let mut values = Vec::new();
    leaves(value, &mut values);
    let mut walk = Walk { from, to, map, to_side, notes: Vec::new(), unknown: Vec::new() };
    let made = match root {
        Node::Object(object) if from != to => Node::Object(walk.resource(object)),
        other => other,
    };
    let made_name = match &made {
        Node::Object(made) => made.text("resourceType").unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let mut ledger = Ledger::new(places, values, (name.to_owned(), made_name.clone()));
    let value = made.write(&made_name, &mut |place, origin, value| ledger.found(place, origin, value));
    let report = ledger.report(&walk.notes);
    let unknown = walk.unknown.iter().map(|(origin, name)| element_of(&report.passages[*origin].from, name));
    Converted { value, unknown: unknown.collect(), report }
}

/// `Task.reason` of a place below it.
fn element_of(place: &str, name: &str) -> String {
    let end = place.rfind(&format!(".{name}")).map_or(place.len(), |at| at + 1 + name.len());
    place[..end].to_owned()
}

/// The values of a resource, in the order in which they are numbered.
fn leaves(value: &Value, into: &mut Vec<Value>) {
    match value {
        Value::Object(map) => map.values().for_each(|it| leaves(it, into)),
        Value::Array(list) => list.iter().for_each(|it| leaves(it, into)),
        Value::Null => {}
        scalar => into.push(scalar.clone()),
    }
}

fn map_of(version: FhirVersion) -> &'static VersionMap {
    match version {
        FhirVersion::Stu3 => &STU3,
        FhirVersion::R5 => &R5,
        FhirVersion::R4 | FhirVersion::R4b => &R4B,
    }
}

/// Every map here is part of the program, and a test reads it.
fn built_in(text: &str) -> VersionMap {
    VersionMap::read(text).expect("a test reads the maps")
}

const STU3_TEXT: &str = include_str!("../../../profiles/versions/stu3.map");
const R4B_TEXT: &str = include_str!("../../../profiles/versions/r4b.map");
const R5_TEXT: &str = include_str!("../../../profiles/versions/r5.map");

static STU3: LazyLock<VersionMap> = LazyLock::new(|| built_in(STU3_TEXT));
static R4B: LazyLock<VersionMap> = LazyLock::new(|| built_in(R4B_TEXT));
static R5: LazyLock<VersionMap> = LazyLock::new(|| built_in(R5_TEXT));
