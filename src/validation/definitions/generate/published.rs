//! Published definitions, and the codes of their value sets.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{list, text, without_version};

/// The published definitions by their names.
pub(super) struct Published<'b> {
    /// StructureDefinitions by name.
    pub(super) structures: HashMap<&'b str, &'b Value>,
    value_sets: HashMap<&'b str, &'b Value>,
    code_systems: HashMap<&'b str, &'b Value>,
}

impl<'b> Published<'b> {
    /// Reads Bundles of definitions.
    pub(super) fn of(bundles: &'b [Value]) -> Self {
        let resources = || bundles.iter().flat_map(|it| list(&it["entry"])).map(|it| &it["resource"]);
        let of_type = |kind: &'static str, name: &'static str| {
            let wanted = resources().filter(move |it| it["resourceType"] == kind);
            wanted.map(move |it| (text(&it[name]), it)).collect()
        };
        Self {
            structures: of_type("StructureDefinition", "name"),
            value_sets: of_type("ValueSet", "url"),
            code_systems: of_type("CodeSystem", "url"),
        }
    }

    /// The codes of a value set, where they are few and listed.
    pub(super) fn codes(&self, url: &str) -> Vec<&'b str> {
        let includes = self.value_sets.get(url).map(|it| &it["compose"]["include"]);
        includes.into_iter().flat_map(list).flat_map(|it| self.included(it)).collect()
    }

    fn included(&self, include: &'b Value) -> Vec<&'b str> {
        if list(&include["filter"]).next().is_some() {
            return self.filtered(include);
        }
        let listed: Vec<&str> = list(&include["concept"]).map(|it| text(&it["code"])).collect();
        if !listed.is_empty() {
            return listed;
        }
        let value_sets = list(&include["valueSet"]).flat_map(|it| self.codes(without_version(text(it))));
        let system = self.code_systems.get(text(&include["system"]));
        value_sets.chain(system.into_iter().flat_map(|it| concepts(&it["concept"]))).collect()
    }

    /// `concept is-a X`: X and what is below it.
    fn filtered(&self, include: &'b Value) -> Vec<&'b str> {
        let Some(system) = self.code_systems.get(text(&include["system"])) else {
            return Vec::new();
        };
        let roots: Vec<&str> = list(&include["filter"]).map(|it| text(&it["value"])).collect();
        let mut found: BTreeMap<usize, &str> = BTreeMap::new();
        below(&system["concept"], &roots, false, &mut found);
        found.into_values().collect()
    }
}

fn below<'b>(list_of: &'b Value, roots: &[&str], inside: bool, found: &mut BTreeMap<usize, &'b str>) {
    for concept in list(list_of) {
        let inside = inside || roots.contains(&text(&concept["code"]));
        if inside {
            found.insert(found.len(), text(&concept["code"]));
        }
        below(&concept["concept"], roots, inside, found);
    }
}

fn concepts<'b>(list_of: &'b Value) -> Vec<&'b str> {
    let nested = |it: &'b Value| std::iter::once(text(&it["code"])).chain(concepts(&it["concept"]));
    list(list_of).flat_map(nested).collect()
}
