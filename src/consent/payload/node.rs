//! The smallest thing that is decided: a resource, a contained resource, or an element with its own labels.

use std::cell::OnceCell;

use serde_json::Value;

use crate::consent::labels::label::Label;
use crate::consent::labels::lists::SensitivityLists;
use crate::consent::labels::{Labels, for_each_coding};
use crate::consent::matching::circle::Circle;

/// One thing to decide.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// Where it stands in what would be sent.
    pub place: Place,
    /// `Observation/o2`, `DiagnosticReport/1#c`, or with the element's path behind it.
    pub name: String,
    /// The resource; of an element, the resource that it stands in.
    pub resource: &'a Value,
    /// The resource that contains it.
    pub container: Option<&'a Value>,
    /// Its file, where that stands in a Binary of its own.
    pub file: Option<&'a Value>,
    /// How sensitive it is.
    pub labels: Labels,
    /// Whether it is decided by itself.
    pub role: Role,
    /// Its codings and its authors, once a rule has asked for them: many rules may.
    codings: OnceCell<Vec<&'a Value>>,
    authors: OnceCell<Vec<Circle>>,
}

/// Whether something is decided by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It says something about the patient.
    Clinical,
    /// It goes along with what does: only a certain deny takes it out (consent S8).
    Accompanying,
}

impl<'a> Node<'a> {
    /// A resource with the labels that it bears and inherits.
    pub fn new(
        resource: &'a Value,
        (place, name): (Place, String),
        stated: Vec<Label>,
        lists: &SensitivityLists,
    ) -> Self {
        let labels = Labels::of(resource, stated, lists);
        Self {
            place,
            name,
            resource,
            container: None,
            file: None,
            labels,
            role: Role::Clinical,
            codings: OnceCell::new(),
            authors: OnceCell::new(),
        }
    }

    /// The same, accompanying if it does.
    #[must_use]
    pub fn in_role(mut self, accompanies: impl Fn(&Self) -> bool) -> Self {
        self.role = if accompanies(&self) { Role::Accompanying } else { Role::Clinical };
        self
    }

    /// The same, contained in a resource.
    #[must_use]
    pub const fn inside(mut self, container: &'a Value) -> Self {
        self.container = Some(container);
        self
    }

    /// An element of it, with labels of its own.
    #[must_use]
    pub fn element(&self, place: Place, labels: &[Label]) -> Self {
        let name = format!("{}{}", self.name, place.after(&self.place));
        Self { place, name, labels: self.labels.with(labels), ..self.clone() }
    }

    /// The file of it that stands in a Binary: it is what the resource is, and opaque.
    #[must_use]
    pub fn with_file(&self, file: &'a Value, (place, name): (Place, String), labels: &[Label]) -> Self {
        let labels = self.labels.with(labels).with_file();
        Self { place, name, file: Some(file), labels, ..self.clone() }
    }

    /// Every coding of the resource.
    pub fn codings(&self) -> &[&'a Value] {
        self.codings.get_or_init(|| {
            let mut found = Vec::new();
            for_each_coding(self.resource, &mut |it| found.push(it));
            found
        })
    }

    /// Who wrote it, as `find` finds them the first time.
    pub fn authors(&self, find: impl FnOnce() -> Vec<Circle>) -> &[Circle] {
        self.authors.get_or_init(find)
    }

    /// The resource that can be addressed: the container, where there is one.
    pub fn outermost(&self) -> &'a Value {
        self.container.unwrap_or(self.resource)
    }
}

/// Where something stands in what would be sent: a JSON Pointer (RFC 6901) behind the resource's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the resources.
    pub number: usize,
    /// Where in it; empty for the resource itself.
    pub pointer: String,
}

impl Place {
    /// A whole resource.
    pub const fn root(number: usize) -> Self {
        Self { number, pointer: String::new() }
    }

    /// The resource of an entry.
    #[must_use]
    pub fn entry(&self, number: usize) -> Self {
        self.child("entry").child(&number.to_string()).child("resource")
    }

    /// A contained resource.
    #[must_use]
    pub fn contained(&self, number: usize) -> Self {
        self.child("contained").child(&number.to_string())
    }

    /// One step further down. FHIR's element names need no escape.
    #[must_use]
    pub fn child(&self, step: &str) -> Self {
        Self { number: self.number, pointer: format!("{}/{step}", self.pointer) }
    }

    fn after(&self, other: &Self) -> String {
        self.pointer.strip_prefix(&other.pointer).unwrap_or_default().replace('/', ".")
    }
}
