//! Codes by ConceptMaps. The original coding is always kept, first and unchanged; mapped codings stand behind it.
//!
//! Only `CodeableConcept.coding` is translated: a lone `Coding` or `code` has room for one value, and that is the
//! original.

mod direction;
mod equivalence;
mod map;

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

pub use direction::Why;
pub use equivalence::Equivalence;
pub use map::{CodeMap, ELEMENT_CONTEXT, MapFault};

use direction::Direction;
use map::Unmapped;

/// Mappings from one party's codes to another's.
#[derive(Clone, Debug, Default)]
pub struct CodeMaps {
    by_source: HashMap<String, Vec<Direction>>,
    other_maps: HashMap<String, Vec<Direction>>,
}

/// How one coding came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTrace {
    /// The element, such as `Condition.code`.
    pub element: String,
    /// System and code as they were.
    pub from: (String, String),
    /// System and code that were added.
    pub to: (String, String),
    /// The map's canonical address.
    pub map: String,
    /// The number of the group in it.
    pub group: usize,
    /// Why it was added.
    pub why: Why,
}

impl fmt::Display for CodeTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((system, code), (to_system, to_code)) = (&self.from, &self.to);
        write!(f, "{}: {system}|{code} gives {to_system}|{to_code} ({}, ", self.element, self.why)?;
        write!(f, "{} group[{}])", self.map, self.group)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward(it) => f.write_str(it.code()),
            Self::Reversed(it) => write!(f, "{} read in reverse", it.code()),
            Self::Unmapped(mode) => write!(f, "unmapped {mode}"),
        }
    }
}

impl CodeMaps {
    /// The maps as they stand.
    pub fn of<'m>(maps: impl IntoIterator<Item = &'m CodeMap>) -> Self {
        let mut all = Self::default();
        for direction in maps.into_iter().flat_map(Direction::forward) {
            all.by_source.entry(direction.source.clone()).or_default().push(direction);
        }
        all
    }

    /// Adds maps of the other direction. Where a map of our own leads from one system to another, none read in
    /// reverse does.
    #[must_use]
    pub fn or_reversed<'m>(mut self, maps: impl IntoIterator<Item = &'m CodeMap>) -> Self {
        let own: Vec<(String, String)> = self.by_source.values().flatten().map(systems).collect();
        for direction in maps.into_iter().flat_map(Direction::reversed) {
            if !own.contains(&systems(&direction)) {
                self.by_source.entry(direction.source.clone()).or_default().push(direction);
            }
        }
        self
    }

    /// Tells where the maps are that `unmapped.mode = other-map` may name.
    #[must_use]
    pub fn with_others<'m>(mut self, maps: impl IntoIterator<Item = &'m CodeMap>) -> Self {
        for map in maps {
            self.other_maps.insert(map.url.clone(), Direction::forward(map).collect());
        }
        self
    }

    /// Adds the mapped codings to every `CodeableConcept` of a resource.
    pub fn translate(&self, resource: &mut Value) {
        self.walk(resource, &mut String::new(), &mut None);
    }

    /// The same, and how each coding came about.
    pub fn translate_traced(&self, resource: &mut Value, traces: &mut Vec<CodeTrace>) {
        self.walk(resource, &mut String::new(), &mut Some(traces));
    }

    /// What one code becomes, as (system, code), wherever it stands.
    pub fn targets(&self, system: &str, code: &str, element: &str) -> Vec<(String, String)> {
        let found = self.codings(system, code, element);
        found.into_iter().map(|it| (it.target.to_owned(), it.code.to_owned())).collect()
    }

    fn walk(&self, value: &mut Value, at: &mut String, traces: &mut Option<&mut Vec<CodeTrace>>) {
        match value {
            Value::Object(map) => {
                if let Some(resource_type) = map.get("resourceType").and_then(Value::as_str) {
                    // A contained resource begins anew.
                    let outer = std::mem::replace(at, resource_type.to_owned());
                    self.walk_members(map, at, traces);
                    *at = outer;
                } else {
                    self.walk_members(map, at, traces);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|it| self.walk(it, at, traces)),
            _ => {}
        }
    }

    fn walk_members(
        &self,
        map: &mut serde_json::Map<String, Value>,
        at: &mut String,
        traces: &mut Option<&mut Vec<CodeTrace>>,
    ) {
        if let Some(Value::Array(codings)) = map.get_mut("coding") {
            self.extend(codings, at, traces);
        }
        for (name, child) in map.iter_mut().filter(|(_, it)| it.is_object() || it.is_array()) {
            let length = at.len();
            at.push('.');
            at.push_str(name);
            self.walk(child, at, traces);
            at.truncate(length);
        }
    }

    fn extend(&self, codings: &mut Vec<Value>, at: &str, traces: &mut Option<&mut Vec<CodeTrace>>) {
        for number in 0..codings.len() {
            let (system, code) = (text(&codings[number]["system"]), text(&codings[number]["code"]));
            let (system, code) = (system.to_owned(), code.to_owned());
            for found in self.codings(&system, &code, at) {
                if codings.iter().any(|it| it["system"] == found.target && it["code"] == found.code) {
                    continue;
                }
                let mut coding = json!({ "system": found.target, "code": found.code });
                if let Some(display) = found.display {
                    coding["display"] = json!(display);
                }
                if let Some(traces) = traces {
                    traces.push(CodeTrace {
                        element: at.to_owned(),
                        from: (system.clone(), code.clone()),
                        to: (found.target.to_owned(), found.code.to_owned()),
                        map: found.direction.map.clone(),
                        group: found.direction.group,
                        why: found.why,
                    });
                }
                codings.push(coding);
            }
        }
    }

    fn codings<'a>(&'a self, system: &str, code: &'a str, element: &str) -> Vec<Found<'a>> {
        let directions = self.by_source.get(system).into_iter().flatten().filter(|it| it.is_for(element));
        directions.flat_map(|it| self.through(it, code, &mut Vec::new())).collect()
    }

    fn through<'a>(
        &'a self,
        direction: &'a Direction,
        code: &'a str,
        seen: &mut Vec<&'a str>,
    ) -> Vec<Found<'a>> {
        let found = |code, display, why| Found { direction, target: &direction.target, code, display, why };
        if let Some(mapped) = direction.get(code) {
            return mapped.iter().map(|it| found(&it.code, it.display.as_deref(), it.why)).collect();
        }
        match &direction.unmapped {
            None => Vec::new(),
            Some(Unmapped::Provided) => vec![found(code, None, Why::Unmapped("provided"))],
            Some(Unmapped::Fixed { code, display }) => {
                vec![found(code, display.as_deref(), Why::Unmapped("fixed"))]
            }
            // Maps may lead in a circle; each is asked once.
            Some(Unmapped::OtherMap(url)) if seen.contains(&url.as_str()) => Vec::new(),
            Some(Unmapped::OtherMap(url)) => {
                seen.push(url);
                let others = self.other_maps.get(url).into_iter().flatten();
                let others = others.filter(|it| it.source == direction.source);
                others.flat_map(|it| self.through(it, code, seen)).collect()
            }
        }
    }
}

/// A coding that is to be added.
struct Found<'a> {
    direction: &'a Direction,
    target: &'a str,
    code: &'a str,
    display: Option<&'a str>,
    why: Why,
}

fn systems(direction: &Direction) -> (String, String) {
    (direction.source.clone(), direction.target.clone())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
