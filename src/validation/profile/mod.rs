//! Profiles: what a resource must be beyond FHIR R4's own structure, from StructureDefinitions.
//!
//! A profile becomes a small JSON Schema of its own that holds only what it adds: cardinality, fixed and
//! pattern values, required bindings, narrowed choices, slices, extensions, invariants that we know, and the
//! types that references may name. The base structure is checked once, by the schema of R4.

use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use super::keyword;
use super::schema::options;
use super::targets::{self, Resolve, Ways};
use crate::fhir::outcome::Issue;
use crate::fhir::resource::resource_type;

mod compile;
mod element;
mod library;
mod pattern;
mod slicing;
mod tree;
mod violation;

pub use library::{ProfileFault, ProfileLibrary};

/// One compiled profile.
#[derive(Debug)]
pub struct Profile {
    /// Its canonical address.
    pub url: String,
    /// The resource type that it is about.
    pub resource_type: String,
    /// What it says that is not checked, in words; empty for most.
    pub unchecked: Vec<String>,
    document: Value,
    validator: Validator,
    ways: Ways,
}

impl Profile {
    /// Every violation of the profile in a resource of its type.
    pub(super) fn check(&self, resource: &Value, at: &str, resolve: &Resolve<'_>) -> Vec<Issue> {
        let errors = self.validator.iter_errors(resource);
        let mut issues: Vec<Issue> =
            errors.flat_map(|it| violation::issues(&it, at, &self.document, &self.url)).collect();
        issues.extend(targets::check_ways(&self.ways, resource, at, resolve));
        issues
    }
}

/// The profiles that a sender's resources must meet.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    by_type: HashMap<String, Vec<Arc<Profile>>>,
}

impl Rules {
    /// Of several profiles of one type, a resource must meet one.
    pub fn of(profiles: impl IntoIterator<Item = Arc<Profile>>) -> Self {
        let mut by_type: HashMap<String, Vec<Arc<Profile>>> = HashMap::new();
        for profile in profiles {
            by_type.entry(profile.resource_type.clone()).or_default().push(profile);
        }
        Self { by_type }
    }

    /// Every profile of them, in the order of their addresses.
    pub fn profiles(&self) -> Vec<&Profile> {
        let mut profiles: Vec<&Profile> = self.by_type.values().flatten().map(AsRef::as_ref).collect();
        profiles.sort_by(|one, other| one.url.cmp(&other.url));
        profiles
    }

    /// The violations of the profile that a resource comes nearest to.
    pub(super) fn check(&self, resource: &Value, at: &str, resolve: &Resolve<'_>) -> Vec<Issue> {
        let profiles = self.by_type.get(resource_type(resource));
        let checked = profiles.into_iter().flatten().map(|it| it.check(resource, at, resolve));
        checked.min_by_key(Vec::len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
