//! FHIR's invariants that catch real errors, each a function over one object.
//!
//! The definitions write them in FHIRPath; an engine for it is bigger than this gateway, and most invariants
//! are one line. `tests.rs` lists those that are not checked, and why. Source: FHIR R4 (4.0.1),
//! `ElementDefinition.constraint` of the types.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

mod clinical;
mod compare;
mod datatypes;
mod envelope;
mod workflow;

/// An object of a resource.
pub(super) type Object = Map<String, Value>;

/// One invariant.
#[derive(Debug)]
pub(super) struct Invariant {
    /// FHIR's key, such as `per-1`.
    pub(super) key: &'static str,
    /// Whether an object keeps it.
    pub(super) holds: fn(&Object) -> bool,
    /// What a sender does about it.
    pub(super) fix: &'static str,
}

const fn rule(key: &'static str, holds: fn(&Object) -> bool, fix: &'static str) -> Invariant {
    Invariant { key, holds, fix }
}

/// The invariant of a key; none where we do not check it.
pub(super) fn by_key(key: &str) -> Option<&'static Invariant> {
    static BY_KEY: LazyLock<HashMap<&str, &Invariant>> =
        LazyLock::new(|| all().map(|it| (it.key, it)).collect());
    BY_KEY.get(key).copied()
}

fn all() -> impl Iterator<Item = &'static Invariant> {
    let lists = [datatypes::INVARIANTS, clinical::INVARIANTS, workflow::INVARIANTS, envelope::INVARIANTS];
    lists.into_iter().flatten()
}

/// Whether an element is there; a primitive may consist of extensions alone.
fn has(object: &Object, name: &str) -> bool {
    object.contains_key(name) || object.keys().any(|it| it.strip_prefix('_') == Some(name))
}

/// Whether `name[x]` is there in any type.
fn has_choice(object: &Object, name: &str) -> bool {
    object.keys().any(|key| {
        let rest = key.strip_prefix('_').unwrap_or(key).strip_prefix(name);
        rest.is_some_and(|it| it.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

fn any(object: &Object, names: &[&str]) -> bool {
    names.iter().any(|it| has(object, it))
}

fn is(object: &Object, name: &str, codes: &[&str]) -> bool {
    object.get(name).and_then(Value::as_str).is_some_and(|it| codes.contains(&it))
}

fn items<'o>(object: &'o Object, name: &str) -> impl Iterator<Item = &'o Value> {
    object.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Whether a CodeableConcept has a coding of this system and one of these codes.
fn is_coded(object: &Object, name: &str, system: &str, codes: &[&str]) -> bool {
    let codings = object.get(name).and_then(|it| it["coding"].as_array()).into_iter().flatten();
    codings
        .filter(|it| it["system"] == system)
        .any(|it| it["code"].as_str().is_some_and(|code| codes.contains(&code)))
}

#[cfg(test)]
mod tests;
