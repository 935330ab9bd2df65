//! What the types of FHIR R4 are made of, from a compact table in `profiles/structure/r4.table`.
//!
//! The table holds facts only: element names, cardinalities, types, reference targets, required codes and the
//! keys of invariants. [`generate`] makes it from the published definitions; nothing is fetched at build time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub mod generate;
mod table;

pub use table::TableError;

/// The types of a FHIR version.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// By name, such as `Patient` or `Period`.
    pub(super) types: BTreeMap<String, Type>,
    /// The codes of value sets to which elements are bound with strength `required`.
    pub(super) codes: BTreeMap<String, Vec<String>>,
}

/// A resource type or a complex data type.
#[derive(Debug)]
pub(super) struct Type {
    /// What it has besides its own elements.
    pub(super) kind: Kind,
    /// Its own elements.
    pub(super) content: Content,
}

/// What a type inherits (FHIR R4, Resource, DomainResource, Element, `BackboneElement`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// id, meta, implicitRules, language.
    Resource,
    /// As a resource, and text, contained, extension, modifierExtension.
    DomainResource,
    /// id, extension.
    Element,
    /// id, extension, modifierExtension.
    BackboneElement,
}

/// Elements, and what must hold among them.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// In the order of the definition.
    pub(super) elements: Vec<Element>,
    /// Keys of invariants, such as `per-1`.
    pub(super) invariants: Vec<String>,
}

/// One element.
#[derive(Debug)]
pub(super) struct Element {
    /// Its name; a choice without `[x]`.
    pub(super) name: String,
    /// Whether it is `name[x]`.
    pub(super) is_choice: bool,
    /// Whether it must be there.
    pub(super) required: bool,
    /// Whether it is a list.
    pub(super) repeats: bool,
    /// What it is.
    pub(super) shape: Shape,
    /// The required codes, by the name of their value set.
    pub(super) codes: Option<String>,
}

/// What an element is.
#[derive(Debug)]
pub(super) enum Shape {
    /// Of one of these types.
    Of(Vec<TypeName>),
    /// Of any data type (FHIR R4, open type element).
    Open,
    /// Made of elements of its own, and of those of this kind.
    Parts(Kind, Content),
    /// Made of the same elements as another, such as `Consent.provision`.
    Same(String),
}

/// A type that an element may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    /// `Reference`, `string`, ….
    pub(super) name: String,
    /// The resource types that a Reference or canonical may name; empty for any.
    pub(super) targets: Vec<String>,
}

impl Definitions {
    /// FHIR R4 (4.0.1), as far as a referral takes it.
    pub(super) fn r4() -> &'static Self {
        static R4: LazyLock<Definitions> = LazyLock::new(|| {
            table::read(include_str!("../../../profiles/structure/r4.table")).expect("a test reads the table")
        });
        &R4
    }

    /// The names of the resource types.
    pub(super) fn resources(&self) -> impl Iterator<Item = &str> {
        let resources =
            self.types.iter().filter(|(_, it)| matches!(it.kind, Kind::Resource | Kind::DomainResource));
        resources.map(|(name, _)| name.as_str())
    }

    /// The elements at a path without indices, such as `Consent.provision`.
    pub(super) fn content(&self, path: &str) -> Option<&Content> {
        let mut steps = path.split('.');
        let mut content = &self.types.get(steps.next()?)?.content;
        for step in steps {
            content = match &content.elements.iter().find(|it| it.name == step)?.shape {
                Shape::Parts(_, parts) => parts,
                Shape::Same(other) => self.content(other)?,
                Shape::Of(types) => &self.types.get(&types.first()?.name)?.content,
                Shape::Open => return None,
            };
        }
        Some(content)
    }
}

impl TypeName {
    /// The ending that the type gives a choice: `valueDateTime`. A profiled Quantity is a Quantity.
    pub(super) fn ending(&self) -> String {
        let name = if self.name == SIMPLE_QUANTITY { "Quantity" } else { &self.name };
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    }
}

/// A Quantity without comparator (FHIR R4, `SimpleQuantity`).
pub(super) const SIMPLE_QUANTITY: &str = "SimpleQuantity";

/// Whether a type is primitive: its name begins with a small letter (FHIR R4, data types).
pub(super) fn is_primitive(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}
