//! A submission as a list of parts, whichever door it came through.

use serde_json::Value;

use crate::fhir::message_index::{Entry, MessageIndex, contained};
use crate::fhir::resource;

/// A referral and what belongs to it: the entries of a transaction Bundle, or a ServiceRequest and what it
/// contains. The place of a part in this list is also its number in ids: `ref-…-3`.
#[derive(Debug)]
pub struct Submission<'m> {
    index: MessageIndex<'m>,
    parts: Vec<Part<'m>>,
}

/// One resource of a submission.
#[derive(Clone, Copy, Debug)]
pub struct Part<'m> {
    /// The resource; for the single ServiceRequest with its contained resources still inside.
    pub resource: &'m Value,
    /// Its address in the message, where it has one.
    pub full_url: Option<&'m str>,
    /// Its contained resources are parts of their own.
    pub contains_parts: bool,
    entry: usize,
}

impl Part<'_> {
    /// FHIR's resource type.
    pub fn resource_type(&self) -> &str {
        resource::resource_type(self.resource)
    }
}

impl<'m> Submission<'m> {
    /// Reads a message that was found valid.
    pub fn of(message: &'m Value) -> Self {
        let index = MessageIndex::of(message);
        let single = resource::resource_type(message) != "Bundle";
        let mut parts = Vec::new();
        for (number, entry) in index.entries().iter().enumerate() {
            let part = |resource, full_url, contains_parts| Part {
                resource,
                full_url,
                contains_parts,
                entry: number,
            };
            parts.push(part(entry.resource, entry.full_url, single));
            if single {
                parts.extend(contained(entry.resource).map(|it| part(it, None, false)));
            }
        }
        Self { index, parts }
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part<'m>] {
        &self.parts
    }

    /// Where a part is, as FHIRPath over the message; empty where there is no such part.
    pub fn place(&self, number: usize) -> String {
        let Some(entry) = self.parts.get(number).and_then(|part| self.index.entries().get(part.entry)) else {
            return String::new();
        };
        if std::ptr::eq(self.parts[number].resource, entry.resource) {
            return entry.at.clone();
        }
        // Contained parts stand behind the one that contains them.
        let inside = contained(entry.resource).position(|it| std::ptr::eq(it, self.parts[number].resource));
        format!("{}.contained[{}]", entry.at, inside.unwrap_or_default())
    }

    /// The number and the first part of a type.
    pub fn first(&self, resource_type: &str) -> Option<(usize, &Part<'m>)> {
        self.parts.iter().enumerate().find(|(_, part)| part.resource_type() == resource_type)
    }

    /// The number of the Patient that the order names.
    pub fn patient(&self) -> Option<usize> {
        let (_, order) = self.first("ServiceRequest")?;
        self.resolve(order.resource["subject"]["reference"].as_str()?, order)
    }

    /// The number of the part that a literal reference in `from` names. None: it names none, or something
    /// that is contained in an entry and stays there.
    pub fn resolve(&self, reference: &str, from: &Part<'m>) -> Option<usize> {
        let container: &Entry<'m> = self.index.entries().get(from.entry)?;
        let found = self.index.resolve(reference, container)?;
        self.parts.iter().position(|part| std::ptr::eq(part.resource, found))
    }
}
