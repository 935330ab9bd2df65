//! Which types a reference may name, and whether it names one of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::definitions::{Content, Definitions, Element, Shape, is_primitive};
use super::walk::{self, Step};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{Target, target};
use crate::fhir::resource::resource_type;

/// Says the type of the resource that a reference of the message leads to.
pub(super) type Resolve<'f> = dyn Fn(&str) -> Option<String> + 'f;

/// The references of a resource that name another type than FHIR R4 allows in their place.
pub(super) fn check(resource: &Value, at: &str, resolve: &Resolve<'_>) -> Vec<Issue> {
    check_ways(&WAYS, resource, at, resolve)
}

/// The references of a resource that name another type than these ways allow.
pub(super) fn check_ways(ways: &Ways, resource: &Value, at: &str, resolve: &Resolve<'_>) -> Vec<Issue> {
    let Some(root) = ways.of_type(resource_type(resource)) else {
        return Vec::new();
    };
    let mut finder = Finder { ways, resolve, at, way: Vec::new(), issues: Vec::new() };
    finder.look(resource, root);
    finder.issues
}

struct Finder<'f, 'v> {
    ways: &'f Ways,
    resolve: &'f Resolve<'f>,
    at: &'f str,
    way: Vec<Step<'v>>,
    issues: Vec<Issue>,
}

impl<'v> Finder<'_, 'v> {
    fn look(&mut self, value: &'v Value, node: usize) {
        let Some(object) = value.as_object() else {
            return;
        };
        let ways = self.ways;
        for (key, child) in object {
            if key == "contained" {
                self.look_into(key, child, &|it| ways.of_type(resource_type(it)), &[]);
            } else if let Some(next) = ways.nodes[node].get(key) {
                self.look_into(key, child, &|_| next.node, &next.targets);
            }
        }
    }

    fn look_into(
        &mut self,
        key: &'v str,
        child: &'v Value,
        node: &dyn Fn(&Value) -> Option<usize>,
        targets: &[String],
    ) {
        self.way.push(Step::Key(key));
        for (number, item) in
            child.as_array().map_or(std::slice::from_ref(child), Vec::as_slice).iter().enumerate()
        {
            if child.is_array() {
                self.way.push(Step::Index(number));
            }
            if let Some(object) = item.as_object().filter(|_| !targets.is_empty()) {
                self.check_reference(object, targets);
            }
            if let Some(node) = node(item) {
                self.look(item, node);
            }
            if child.is_array() {
                self.way.pop();
            }
        }
        self.way.pop();
    }

    fn check_reference(&mut self, reference: &Map<String, Value>, targets: &[String]) {
        let literal = reference.get("reference").and_then(Value::as_str);
        let named = literal.and_then(|it| self.named(it));
        // A type may be written as the address of its definition (FHIR R4, Reference.type).
        let said = reference.get("type").and_then(Value::as_str);
        let said = said.and_then(|it| it.rsplit('/').next()).map(str::to_owned);
        let wrong = [named, said].into_iter().flatten().any(|it| !targets.contains(&it));
        if wrong {
            let text = format!("Refer to one of {} here.", targets.join(", "));
            let issue = Issue::error(IssueKind::Value, "SEND_REFERENCE_TARGET", text);
            self.issues.push(issue.at(walk::place(self.at, &self.way)));
        }
    }

    /// The type behind a literal reference, where it can be told.
    fn named(&self, reference: &str) -> Option<String> {
        (self.resolve)(reference).or_else(|| match target(reference) {
            Target::Relative { resource_type, .. } => Some(resource_type.to_owned()),
            _ => None,
        })
    }
}

/// The ways that lead to references, as a graph: parts of types may hold themselves.
static WAYS: LazyLock<Ways> = LazyLock::new(|| Ways::of(Definitions::r4()));

/// The ways to references, from the root of a type.
#[derive(Debug, Default)]
pub(super) struct Ways {
    by_path: HashMap<String, usize>,
    nodes: Vec<HashMap<String, Next>>,
}

#[derive(Debug, Default)]
struct Next {
    node: Option<usize>,
    targets: Vec<String>,
}

impl Ways {
    fn of(definitions: &Definitions) -> Self {
        let mut ways = Self::default();
        for (name, definition) in &definitions.types {
            ways.add(name, &definition.content);
        }
        ways
    }

    /// Lets an element name only these types.
    pub(super) fn narrow(&mut self, path: &str, element: &str, targets: Vec<String>) {
        let node = self.place(path);
        self.nodes[node].entry(element.to_owned()).or_default().targets = targets;
    }

    /// Makes an element lead to what is below it.
    pub(super) fn lead(&mut self, path: &str, element: &str, below: &str) {
        let (node, below) = (self.place(path), self.place(below));
        self.nodes[node].entry(element.to_owned()).or_default().node = Some(below);
    }

    fn of_type(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    fn place(&mut self, path: &str) -> usize {
        if let Some(known) = self.by_path.get(path) {
            return *known;
        }
        self.nodes.push(HashMap::new());
        self.by_path.insert(path.to_owned(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn add(&mut self, path: &str, content: &Content) {
        let node = self.place(path);
        for element in &content.elements {
            for (name, next) in self.ways_of(path, element) {
                self.nodes[node].insert(name, next);
            }
        }
    }

    fn ways_of(&mut self, path: &str, element: &Element) -> Vec<(String, Next)> {
        match &element.shape {
            Shape::Parts(_, content) => {
                let inner = format!("{path}.{}", element.name);
                self.add(&inner, content);
                vec![(element.name.clone(), Next { node: Some(self.place(&inner)), targets: Vec::new() })]
            }
            Shape::Same(other) => {
                vec![(element.name.clone(), Next { node: Some(self.place(other)), targets: Vec::new() })]
            }
            Shape::Of(types) => {
                let complex = types.iter().filter(|it| !is_primitive(&it.name));
                let ways = complex.map(|it| {
                    let ending = if element.is_choice { it.ending() } else { String::new() };
                    let next = Next { node: Some(self.place(&it.name)), targets: it.targets.clone() };
                    (format!("{}{ending}", element.name), next)
                });
                ways.collect()
            }
            Shape::Open => Vec::new(),
        }
    }
}
