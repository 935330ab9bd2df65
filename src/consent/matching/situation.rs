//! A disclosure with what follows from it, worked out once for all Consents.

use serde_json::Value;

use super::circle::Circle;
use super::literal::{Literal, literal};
use crate::consent::disclosure::Disclosure;
use crate::fhir::resource::{is_named, name_of};
use crate::fhir::{bundle, coding};

/// A disclosure, and who its parties are.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The question.
    pub disclosure: &'a Disclosure<'a>,
    /// The receiving organisation and those above it.
    pub organization: Circle,
    /// The receiving person, if it is addressed to one.
    pub person: Option<Circle>,
    /// The clinic and those above it.
    pub custodian: Circle,
    /// Those whose Consents may permit in the clinic's name.
    pub trusted: Circle,
    payload: Vec<&'a Value>,
}

impl<'a> Situation<'a> {
    /// Looks at a disclosure.
    pub fn of(disclosure: &'a Disclosure<'a>) -> Self {
        let circle = |parties: &[&_]| Circle::around(parties, disclosure.directory, &disclosure.clinic.base);
        let receiver = disclosure.receiver;
        let people: Vec<_> = receiver.practitioner.iter().chain(&receiver.practitioner_role).collect();
        let trusted: Vec<_> = disclosure.clinic.trusted_custodians.iter().collect();
        let mut payload: Vec<&Value> = disclosure.resources.iter().collect();
        payload.extend(disclosure.resources.iter().flat_map(bundle::resources));
        Self {
            disclosure,
            organization: circle(&[&receiver.organization]),
            person: receiver.is_personal().then(|| circle(&people)),
            custodian: circle(&[&disclosure.clinic.custodian]),
            trusted: circle(&trusted),
            payload,
        }
    }

    /// Reads a literal reference.
    pub fn literal<'t>(&self, text: &'t str) -> Literal<'t> {
        literal(text, &self.disclosure.clinic.base)
    }

    /// The resource of a local name, from the directory or from what would be sent.
    pub fn find(&self, name: &str) -> Option<&'a Value> {
        let directory: &'a [Value] = self.disclosure.directory;
        directory.iter().chain(self.payload.iter().copied()).find(|it| is_named(it, name))
    }

    /// The local name of the directory's resource with this identifier.
    pub fn find_identified(&self, system: &str, value: &str) -> Option<String> {
        let found = self
            .disclosure
            .directory
            .iter()
            .find(|it| coding::identifiers(it).any(|it| it == (system, value)))?;
        Some(name_of(found))
    }
}
