//! Whether a reference in a Consent names the receiver of a disclosure (consent S7.1).

pub mod care_team;
pub mod group;
pub mod organization;
pub mod practitioner;
pub mod role;

use serde_json::Value;

use super::literal::{Literal, type_of};
use super::situation::Situation;
use crate::consent::answer::Kind;
use crate::consent::truth::Truth;
use crate::fhir::coding;

/// How deep groups may contain groups.
const DEEPEST: u8 = 5;

/// One look at the receiver, with the eyes of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The disclosure.
    pub situation: &'a Situation<'a>,
    /// The Consent, for what it contains.
    pub consent: &'a Value,
    /// Whether the rule permits or denies.
    pub kind: Kind,
    depth: u8,
}

impl<'a> Look<'a> {
    /// Begins to look.
    pub const fn new(situation: &'a Situation<'a>, consent: &'a Value, kind: Kind) -> Self {
        Self { situation, consent, kind, depth: 0 }
    }

    /// Whether a reference names the receiver. A literal reference and an identifier are alternatives; a
    /// display alone names nobody for certain.
    pub fn names(&self, reference: &Value) -> Truth {
        let literal = reference["reference"].as_str().map(|it| self.by_literal(it));
        let identifier = reference.get("identifier").map(|it| self.by_identifier(it));
        match (literal, identifier) {
            (Some(one), Some(other)) => one.or(other),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Truth::Unknown,
        }
    }

    fn by_literal(&self, text: &str) -> Truth {
        match self.situation.literal(text) {
            Literal::Local(name) => self.by_name(name),
            Literal::Elsewhere(address) if self.is_called(address) => Truth::True,
            Literal::Contained(id) => self.by_contained(id),
            Literal::Elsewhere(_) | Literal::Unclear => Truth::Unknown,
        }
    }

    fn by_contained(&self, id: &str) -> Truth {
        let contained = self.consent["contained"].as_array().into_iter().flatten();
        let found = contained.filter(|it| it["id"] == id).filter_map(|it| it["identifier"].as_array());
        found.flatten().map(|it| self.by_identifier(it)).max().unwrap_or(Truth::Unknown)
    }

    fn by_identifier(&self, identifier: &Value) -> Truth {
        let circles = [Some(&self.situation.organization), self.situation.person.as_ref()];
        let compared = circles.map(|it| it.map(|it| it.compare_identifier(identifier, self.kind)));
        if compared.contains(&Some(Truth::True)) {
            return Truth::True;
        }
        let record = identifier["system"].as_str().zip(identifier["value"].as_str());
        match record.and_then(|(system, value)| self.situation.find_identified(system, value)) {
            Some(name) => self.by_name(&name),
            // An identifier system of the organisation or of the person suffices to tell them apart.
            None if compared.contains(&Some(Truth::False)) => Truth::False,
            None => Truth::Unknown,
        }
    }

    fn by_name(&self, name: &str) -> Truth {
        if self.is_called(name) {
            return Truth::True;
        }
        match type_of(name) {
            "Organization" => organization::names(self, name),
            "Practitioner" => practitioner::names(self, name),
            "PractitionerRole" => role::names(self, name),
            "Group" => group::names(self, name),
            "CareTeam" => care_team::names(self, name),
            _ => Truth::False,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.situation.organization.has_name(name)
            || self.situation.person.as_ref().is_some_and(|it| it.has_name(name))
    }

    /// One level deeper. None: too deep.
    fn deeper(&self) -> Option<Self> {
        (self.depth < DEEPEST).then(|| Self { depth: self.depth + 1, ..*self })
    }

    /// Whether a Period of a membership or role contains now.
    fn is_current(&self, record: &Value) -> Truth {
        let disclosure = self.situation.disclosure;
        crate::consent::period::contains(record.get("period"), disclosure.now, &disclosure.clinic.time_zone)
    }

    /// Whether a record of the directory has an identifier of the receiver.
    fn has_its_identifier(&self, record: &Value) -> bool {
        let circles = [Some(&self.situation.organization), self.situation.person.as_ref()];
        circles.into_iter().flatten().any(|circle| {
            coding::identifiers(record)
                .any(|(system, value)| circle.identifiers.iter().any(|it| it.0 == system && it.1 == value))
        })
    }
}
