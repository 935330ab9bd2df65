//! The profiles and value sets that are at hand.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::compile;
use super::{Profile, Rules};
use crate::validation::definitions::Definitions;

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFault {
    /// It is not here.
    #[error("there is no profile {0}; put its StructureDefinition into the folder of profiles")]
    Unknown(String),
    /// It builds on one that is not here.
    #[error("the profile {url} builds on {base}, which is not here; put that into the folder, too")]
    Base {
        /// Which.
        url: String,
        /// What it builds on.
        base: String,
    },
    /// It says something that cannot be.
    #[error("the profile {url} cannot be used: {text}")]
    Unusable {
        /// Which.
        url: String,
        /// Why.
        text: String,
    },
}

/// Compiled profiles by their address, and why others are not.
#[derive(Clone, Debug, Default)]
pub struct ProfileLibrary {
    profiles: HashMap<String, Arc<Profile>>,
    faults: HashMap<String, ProfileFault>,
}

impl ProfileLibrary {
    /// Compiles every profile of a resource among definitions: StructureDefinitions, ValueSets, CodeSystems.
    pub fn compile(definitions: &[Value]) -> Self {
        let shelf = Shelf::of(definitions);
        let mut library = Self::default();
        for (url, structure) in &shelf.structures {
            let type_name = structure["type"].as_str().unwrap_or_default();
            if structure["derivation"] != "constraint"
                || !Definitions::r4().resources().any(|it| it == type_name)
            {
                continue;
            }
            match compile::profile(&shelf, url) {
                Ok(profile) => drop(library.profiles.insert((*url).to_owned(), Arc::new(profile))),
                Err(fault) => drop(library.faults.insert((*url).to_owned(), fault)),
            }
        }
        library
    }

    /// The rules that these profiles make, by their addresses.
    pub fn rules<'u>(&self, urls: impl IntoIterator<Item = &'u str>) -> Result<Rules, ProfileFault> {
        let profiles: Result<Vec<_>, _> = urls.into_iter().map(|it| self.get(it)).collect();
        profiles.map(Rules::of)
    }

    /// One profile. An address may end with `|` and a version, which is not compared.
    pub fn get(&self, url: &str) -> Result<Arc<Profile>, ProfileFault> {
        let url = without_version(url);
        let fault = || self.faults.get(url).cloned().unwrap_or_else(|| ProfileFault::Unknown(url.to_owned()));
        self.profiles.get(url).cloned().ok_or_else(fault)
    }

    /// Every compiled profile.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values()
    }

    /// Why the others are not.
    pub fn faults(&self) -> impl Iterator<Item = &ProfileFault> {
        self.faults.values()
    }
}

/// Definitions by their addresses.
pub(super) struct Shelf<'d> {
    structures: HashMap<&'d str, &'d Value>,
    value_sets: HashMap<&'d str, &'d Value>,
    code_systems: HashMap<&'d str, &'d Value>,
}

impl<'d> Shelf<'d> {
    fn of(definitions: &'d [Value]) -> Self {
        let by_url = |kind: &str| {
            let wanted = definitions.iter().filter(|it| it["resourceType"] == kind);
            wanted.filter_map(|it| Some((it["url"].as_str()?, it))).collect()
        };
        Self {
            structures: by_url("StructureDefinition"),
            value_sets: by_url("ValueSet"),
            code_systems: by_url("CodeSystem"),
        }
    }

    pub(super) fn structure(&self, url: &str) -> Option<&'d Value> {
        self.structures.get(without_version(url)).copied()
    }

    /// The resource type that a profile or a core address is about; none where it cannot be told.
    pub(super) fn type_of(&self, url: &str) -> Option<String> {
        let known = self.structure(url).and_then(|it| it["type"].as_str());
        let name = known.or_else(|| url.strip_prefix("http://hl7.org/fhir/StructureDefinition/"));
        name.filter(|it| Definitions::r4().resources().any(|known| known == *it)).map(str::to_owned)
    }

    /// The codes of a value set; none where it is not here, or where it does not list them.
    pub(super) fn codes(&self, url: &str) -> Option<Vec<(String, String)>> {
        let url = without_version(url);
        let Some(value_set) = self.value_sets.get(url) else {
            return core_codes(url);
        };
        let expanded = value_set["expansion"]["contains"].as_array();
        if let Some(expanded) = expanded {
            return Some(pairs(expanded, None));
        }
        let includes = value_set["compose"]["include"].as_array()?;
        let lists: Option<Vec<_>> = includes.iter().map(|it| self.included(it)).collect();
        lists.map(|it| it.concat())
    }

    fn included(&self, include: &Value) -> Option<Vec<(String, String)>> {
        if include.get("filter").is_some() {
            return None;
        }
        if let Some(value_sets) = include["valueSet"].as_array() {
            let lists: Option<Vec<_>> = value_sets.iter().map(|it| self.codes(it.as_str()?)).collect();
            return lists.map(|it| it.concat());
        }
        let system = include["system"].as_str()?;
        if let Some(listed) = include["concept"].as_array() {
            return Some(pairs(listed, Some(system)));
        }
        let concepts = self.code_systems.get(system)?["concept"].as_array()?;
        Some(pairs(concepts, Some(system)))
    }
}

/// The codes of a value set of R4 itself, whose systems the table does not keep.
fn core_codes(url: &str) -> Option<Vec<(String, String)>> {
    let codes = Definitions::r4().codes.get(url.strip_prefix("http://hl7.org/fhir/ValueSet/")?)?;
    Some(codes.iter().map(|it| (String::new(), it.clone())).collect())
}

fn pairs(concepts: &[Value], system: Option<&str>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for concept in concepts {
        let own = system.or_else(|| concept["system"].as_str()).unwrap_or_default();
        pairs.extend(concept["code"].as_str().map(|it| (own.to_owned(), it.to_owned())));
        for nested in ["concept", "contains"] {
            pairs.extend(concept[nested].as_array().map(|it| pairs_of(it, own)).unwrap_or_default());
        }
    }
    pairs
}

fn pairs_of(concepts: &[Value], system: &str) -> Vec<(String, String)> {
    pairs(concepts, Some(system))
}

fn without_version(url: &str) -> &str {
    url.split('|').next().unwrap_or(url)
}
