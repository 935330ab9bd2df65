//! A StructureDefinition as JSON Schema.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::library::{ProfileFault, Shelf};
use super::tree::Node;
use super::{Profile, element, options};
use crate::validation::definitions::{Definitions, Element};
use crate::validation::invariant;
use crate::validation::targets::Ways;

/// How deep profiles may use profiles.
const DEEPEST: usize = 8;

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Compiles the profile of an address.
pub(super) fn profile(shelf: &Shelf<'_>, url: &str) -> Result<Profile, ProfileFault> {
    let structure = shelf.structure(url).ok_or_else(|| ProfileFault::Unknown(url.to_owned()))?;
    let resource_type = structure["type"].as_str().unwrap_or_default().to_owned();
    let mut compiler = Compiler { shelf, unchecked: BTreeSet::new(), depth: 0, missing: None };
    let document = compiler.whole(structure);
    if let Some(base) = compiler.missing {
        return Err(ProfileFault::Base { url: url.to_owned(), base });
    }
    let validator = options().build(&document).map_err(|_| ProfileFault::Unusable {
        url: url.to_owned(),
        text: "its values make no schema".to_owned(),
    })?;
    let mut ways = Ways::default();
    references(shelf, structure, &mut ways);
    let unchecked = compiler.unchecked.into_iter().collect();
    Ok(Profile { url: url.to_owned(), resource_type, unchecked, document, validator, ways })
}

/// What one compilation needs and finds.
pub(super) struct Compiler<'s> {
    shelf: &'s Shelf<'s>,
    unchecked: BTreeSet<String>,
    depth: usize,
    missing: Option<String>,
}

impl Compiler<'_> {
    /// A StructureDefinition with those that it builds on.
    fn whole(&mut self, structure: &Value) -> Value {
        let type_name = structure["type"].as_str().unwrap_or_default();
        let own = element::value(self, &Node::of(structure), type_name);
        let base = structure["baseDefinition"].as_str().unwrap_or_default();
        if base.strip_prefix(CORE).is_some_and(is_core) || base.is_empty() {
            return own;
        }
        match self.shelf.structure(base) {
            Some(base) if self.depth < DEEPEST => {
                self.depth += 1;
                let base = self.whole(base);
                self.depth -= 1;
                json!({ "allOf": [base, own] })
            }
            _ => {
                self.missing = Some(base.to_owned());
                own
            }
        }
    }

    /// What the profile of a data type asks for, where it is here.
    pub(super) fn inner(&mut self, url: &str, path: &str) -> Option<Value> {
        if url.strip_prefix(CORE).is_some_and(is_core) {
            return None;
        }
        let Some(structure) = self.shelf.structure(url).filter(|_| self.depth < DEEPEST) else {
            self.leave(format!("the profile {url} of {path}, which is not here"));
            return None;
        };
        self.depth += 1;
        let outer = self.missing.take();
        let schema = self.whole(structure);
        let missing = std::mem::replace(&mut self.missing, outer);
        self.depth -= 1;
        if let Some(base) = missing {
            self.leave(format!("what {base} asks of {path}, which is not here"));
        }
        Some(schema)
    }

    /// Notes what is not checked.
    pub(super) fn leave(&mut self, what: String) {
        self.unchecked.insert(what);
    }

    /// The codes of a value set as `[system, code]`; none where it is not here or not listed.
    pub(super) fn codes_of(&self, url: &str) -> Option<Vec<(String, String)>> {
        self.shelf.codes(url)
    }
}

/// Whether we check an invariant, or FHIR's structure does.
pub(super) fn knows_invariant(key: &str) -> bool {
    invariant::by_key(key).is_some() || ["ele-1", "ext-1", "dom-2", "dom-3", "ref-1"].contains(&key)
}

/// R4's own definition of an element.
pub(super) fn base_element(path: &str, name: &str) -> Option<&'static Element> {
    let name = name.trim_end_matches("[x]");
    Definitions::r4().content(path)?.elements.iter().find(|it| it.name == name)
}

/// Whether the rest of a core address names a type rather than a profile or extension of the core package.
fn is_core(name: &str) -> bool {
    let others =
        ["Element", "BackboneElement", "Resource", "DomainResource", "SimpleQuantity", "MoneyQuantity"];
    others.contains(&name) || Definitions::r4().types.contains_key(name)
}

/// The references that a profile narrows, those that it builds on first.
fn references(shelf: &Shelf<'_>, structure: &Value, ways: &mut Ways) {
    if let Some(base) = structure["baseDefinition"].as_str().and_then(|it| shelf.structure(it)) {
        references(shelf, base, ways);
    }
    let type_name = structure["type"].as_str().unwrap_or_default();
    narrowed(shelf, &Node::of(structure), type_name, ways);
}

fn narrowed(shelf: &Shelf<'_>, node: &Node<'_>, path: &str, ways: &mut Ways) {
    for (name, child) in &node.children {
        let plain = name.trim_end_matches("[x]");
        let listed: Vec<&Value> = child.types().filter(|it| it["code"] == "Reference").collect();
        let targets = listed.iter().flat_map(|it| it["targetProfile"].as_array().into_iter().flatten());
        let targets: Option<Vec<String>> = targets.map(|it| shelf.type_of(it.as_str()?)).collect();
        let element = if name.ends_with("[x]") { format!("{plain}Reference") } else { plain.to_owned() };
        if let Some(targets) = targets.filter(|it| !it.is_empty()) {
            ways.narrow(path, &element, targets);
        }
        ways.lead(path, &element, &format!("{path}.{plain}"));
        narrowed(shelf, child, &format!("{path}.{plain}"), ways);
    }
}
