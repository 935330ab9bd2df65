//! What the types of one version of FHIR are made of: names, types, and what repeats. The text is that of
//! `profiles/structure/r4.table`; what only validation needs (targets, codes, invariants) is passed over.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::fhir_version::FhirVersion;

/// A line that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is no type and no element")]
pub(super) struct TableError(pub(super) usize);

/// The types of one version, by their path: `Task`, `Task.restriction`.
#[derive(Debug, Default)]
pub(super) struct Table {
    contents: HashMap<String, Vec<Element>>,
    resources: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) is_choice: bool,
    pub(super) repeats: bool,
    pub(super) shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One of these types.
    Types(Vec<String>),
    /// Elements of its own, under this path.
    Parts(String),
    /// Any type.
    Any,
}

/// An element as a resource has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'t> {
    pub(super) element: &'t Element,
    /// The type, or the path of its parts.
    pub(super) kind: String,
}

impl Table {
    /// The table of a version.
    pub(super) fn of(version: FhirVersion) -> &'static Self {
        match version {
            FhirVersion::Stu3 => &STU3,
            FhirVersion::R4 => &R4,
            FhirVersion::R4b => &R4B,
            FhirVersion::R5 => &R5,
        }
    }

    pub(super) fn has_resource(&self, name: &str) -> bool {
        self.resources.iter().any(|it| it == name)
    }

    /// The elements at a path. Ages and the like have those of a Quantity.
    pub(super) fn elements(&self, path: &str) -> &[Element] {
        let own = self.contents.get(path).map_or(&[][..], Vec::as_slice);
        let is_quantity =
            matches!(path, "Age" | "Count" | "Distance" | "Duration" | "SimpleQuantity" | "Money");
        if is_quantity && own.len() <= ELEMENT.len() { self.elements("Quantity") } else { own }
    }

    /// The element that a JSON name stands for.
    pub(super) fn find<'t>(&'t self, path: &str, name: &str) -> Option<Found<'t>> {
        self.elements(path).iter().find_map(|element| {
            if element.is_choice {
                let suffix = name.strip_prefix(element.name.as_str())?;
                return element.choice(suffix).map(|kind| Found { element, kind });
            }
            let kind = match &element.shape {
                _ if element.name != name => return None,
                Shape::Types(types) => types.first()?.clone(),
                Shape::Parts(path) => path.clone(),
                Shape::Any => return None,
            };
            Some(Found { element, kind })
        })
    }

    /// Every element, with the path of what it belongs to.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Element)> {
        self.contents.iter().flat_map(|(path, elements)| elements.iter().map(|it| (path.as_str(), it)))
    }

    /// Reads a table.
    pub(super) fn read(text: &str) -> Result<Self, TableError> {
        let mut table = Self::default();
        table.contents.insert("Element".to_owned(), ELEMENT.iter().filter_map(|it| read_base(it)).collect());
        let mut path: Vec<String> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let depth = line.len() - line.trim_start().len();
            let line = line.trim_start();
            if line.is_empty() || line.starts_with(['#', '=', '!']) {
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            path.truncate(depth);
            if depth > path.len() {
                return Err(TableError(number + 1));
            }
            let read = match words.as_slice() {
                [kind, name] if depth == 0 => table.begin(kind, name, &mut path),
                [name, cardinality, shape, ..] if depth > 0 => {
                    table.add((name, cardinality, shape), &mut path)
                }
                _ => None,
            };
            read.ok_or(TableError(number + 1))?;
        }
        Ok(table)
    }

    fn begin(&mut self, kind: &str, name: &str, path: &mut Vec<String>) -> Option<()> {
        let base: &[&str] = match kind {
            "DomainResource" => &DOMAIN_RESOURCE,
            "Resource" => &RESOURCE,
            "BackboneElement" => &BACKBONE,
            "Element" => &ELEMENT,
            _ => return None,
        };
        if kind.ends_with("Resource") {
            self.resources.push(name.to_owned());
        }
        path.push(name.to_owned());
        self.contents.insert(name.to_owned(), base.iter().filter_map(|it| read_base(it)).collect());
        Some(())
    }

    fn add(&mut self, (name, cardinality, shape): (&str, &str, &str), path: &mut Vec<String>) -> Option<()> {
        let parent = path.join(".");
        let own = format!("{parent}.{}", name.trim_end_matches("[x]"));
        let element = read_element(name, cardinality, shape, &own)?;
        if shape.starts_with('+') {
            let base: &[&str] = if shape == "+" { &BACKBONE } else { &ELEMENT };
            self.contents.insert(own, base.iter().filter_map(|it| read_base(it)).collect());
        }
        path.push(element.name.clone());
        self.contents.get_mut(&parent)?.push(element);
        Some(())
    }
}

impl Element {
    /// The type that a choice has by the end of its JSON name.
    fn choice(&self, suffix: &str) -> Option<String> {
        let first = suffix.chars().next().filter(char::is_ascii_uppercase)?;
        match &self.shape {
            Shape::Types(types) => types.iter().find(|it| capitalised(it) == suffix).cloned(),
            Shape::Any => {
                let small = format!("{}{}", first.to_ascii_lowercase(), &suffix[1..]);
                Some(if PRIMITIVES.contains(&small.as_str()) { small } else { suffix.to_owned() })
            }
            Shape::Parts(_) => None,
        }
    }

    /// The JSON name of this element with a type.
    pub(super) fn json_name(&self, kind: &str) -> String {
        if self.is_choice { format!("{}{}", self.name, capitalised(kind)) } else { self.name.clone() }
    }
}

/// `Quantity` of `SimpleQuantity`, `DateTime` of `dateTime`.
pub(super) fn capitalised(kind: &str) -> String {
    let kind = if kind == "SimpleQuantity" { "Quantity" } else { kind };
    let mut letters = kind.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Whether a type is one value, and no object.
pub(super) fn is_primitive(kind: &str) -> bool {
    kind.starts_with(|it: char| it.is_ascii_lowercase()) && !kind.contains('.')
}

const PRIMITIVES: [&str; 21] = [
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "integer64",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "xhtml",
];

const ELEMENT: [&str; 2] = ["id 0..1 string", "extension 0..* Extension"];
const BACKBONE: [&str; 3] =
    ["id 0..1 string", "extension 0..* Extension", "modifierExtension 0..* Extension"];
const RESOURCE: [&str; 5] = [
    "resourceType 1..1 code",
    "id 0..1 id",
    "meta 0..1 Meta",
    "implicitRules 0..1 uri",
    "language 0..1 code",
];
const DOMAIN_RESOURCE: [&str; 9] = [
    "resourceType 1..1 code",
    "id 0..1 id",
    "meta 0..1 Meta",
    "implicitRules 0..1 uri",
    "language 0..1 code",
    "text 0..1 Narrative",
    "contained 0..* Resource",
    "extension 0..* Extension",
    "modifierExtension 0..* Extension",
];

fn read_base(line: &str) -> Option<Element> {
    let words: Vec<&str> = line.split(' ').collect();
    read_element(words.first()?, words.get(1)?, words.get(2)?, "")
}

fn read_element(name: &str, cardinality: &str, shape: &str, own: &str) -> Option<Element> {
    let (_, most) = cardinality.split_once("..")?;
    let shape = match shape {
        "+" | "+Element" => Shape::Parts(own.to_owned()),
        "*" => Shape::Any,
        other => match other.strip_prefix('@') {
            Some(path) => Shape::Parts(path.to_owned()),
            None => Shape::Types(types(other)),
        },
    };
    let is_choice = name.ends_with("[x]");
    Some(Element { name: name.trim_end_matches("[x]").to_owned(), is_choice, repeats: most == "*", shape })
}

/// `Reference` and `string` of `Reference(Patient,Group)|string`.
fn types(text: &str) -> Vec<String> {
    text.split('|').map(|it| it.split('(').next().unwrap_or_default().to_owned()).collect()
}

/// Every text here is part of the program, and a test reads it.
fn built_in(text: &str) -> Table {
    Table::read(text).expect("a test reads the tables")
}

static STU3: LazyLock<Table> =
    LazyLock::new(|| built_in(include_str!("../../../profiles/versions/stu3.table")));
static R4: LazyLock<Table> = LazyLock::new(|| built_in(include_str!("../../../profiles/structure/r4.table")));
static R4B: LazyLock<Table> =
    LazyLock::new(|| built_in(include_str!("../../../profiles/versions/r4b.table")));
static R5: LazyLock<Table> = LazyLock::new(|| built_in(include_str!("../../../profiles/versions/r5.table")));
