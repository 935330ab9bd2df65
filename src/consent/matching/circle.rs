//! A party with everything that stands for it: its names, its identifiers, and the organisations above it.

use serde_json::Value;

use super::literal::{Literal, literal};
use crate::consent::answer::Kind;
use crate::consent::disclosure::Party;
use crate::consent::truth::Truth;
use crate::fhir::coding;
use crate::fhir::resource::{is_named, name_of};

/// How many records one circle may have; a chain of organisations is far shorter.
const MOST: usize = 32;

/// Every name and identifier of a party.
#[derive(Clone, Debug, Default)]
pub struct Circle {
    /// `Type/id` on the clinic's server, or a complete address.
    pub names: Vec<String>,
    /// Business identifiers, as (system, value).
    pub identifiers: Vec<(String, String)>,
    /// How many of the names are the party's own; those behind them are of the organisations above it.
    own: usize,
}

impl Circle {
    /// The circle around some parties, by the records of a directory.
    pub fn around(parties: &[&Party], directory: &[Value], base: &str) -> Self {
        let mut circle = Self::default();
        for party in parties {
            circle.names.extend(party.reference.as_deref().and_then(|it| name(it, base)));
            circle.identifiers.extend(party.identifiers.iter().cloned());
            let identified = directory.iter().filter(|record| {
                coding::identifiers(record)
                    .any(|(system, value)| party.identifiers.iter().any(|it| it.0 == system && it.1 == value))
            });
            circle.names.extend(identified.map(name_of));
        }
        circle.own = circle.names.len();
        circle.follow(directory, base);
        circle
    }

    /// Whether it has this name.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }

    /// Whether this is a name of the party itself, and not of an organisation above it.
    pub fn is_called(&self, name: &str) -> bool {
        self.names.iter().take(self.own).any(|it| it == name)
    }

    /// Whether it is known by a name of the clinic's server, so that another name there is somebody else.
    pub fn has_local_name(&self) -> bool {
        self.names.iter().any(|it| !it.contains("://"))
    }

    /// Whether an `Identifier` names it (consent S7.1): equal in system and value; certainly not if the
    /// system is one of ours and the value is another; without a system, likely at best.
    pub fn compare_identifier(&self, identifier: &Value, kind: Kind) -> Truth {
        let Some(value) = identifier["value"].as_str() else {
            return Truth::Unknown;
        };
        let Some(system) = identifier["system"].as_str() else {
            let equal = self.identifiers.iter().any(|it| it.1 == value);
            return if equal { kind.likely() } else { Truth::Unknown };
        };
        if self.identifiers.iter().any(|it| it.0 == system && it.1 == value) {
            return Truth::True;
        }
        let comparable = self.identifiers.iter().any(|it| it.0 == system);
        if comparable { Truth::False } else { Truth::Unknown }
    }

    /// Whether a record of the directory is it.
    pub fn compare_record(&self, record: &Value) -> Truth {
        if self.names.iter().any(|it| is_named(record, it)) {
            return Truth::True;
        }
        let mut comparable = false;
        for (system, value) in coding::identifiers(record) {
            if self.identifiers.iter().any(|it| it.0 == system && it.1 == value) {
                return Truth::True;
            }
            comparable |= self.identifiers.iter().any(|it| it.0 == system);
        }
        if comparable || self.has_local_name() { Truth::False } else { Truth::Unknown }
    }

    /// Whether a local name is it, by the name alone or by the directory's record.
    pub fn compare_name(&self, name: &str, record: Option<&Value>) -> Truth {
        if self.has_name(name) {
            return Truth::True;
        }
        match record {
            Some(record) => self.compare_record(record),
            None if self.has_local_name() => Truth::False,
            None => Truth::Unknown,
        }
    }

    /// Adds what the directory knows: identifiers, the organisations above, and whom a role stands for.
    fn follow(&mut self, directory: &[Value], base: &str) {
        let mut next = 0;
        while next < self.names.len() && next < MOST {
            let present = self.names[next].clone();
            for record in directory.iter().filter(|it| is_named(it, &present)) {
                let identifiers = coding::identifiers(record);
                self.identifiers
                    .extend(identifiers.map(|(system, value)| (system.to_owned(), value.to_owned())));
                for element in ["partOf", "practitioner"] {
                    self.add(&record[element], base);
                }
            }
            next += 1;
        }
    }

    fn add(&mut self, reference: &Value, base: &str) {
        let new = reference["reference"].as_str().and_then(|it| name(it, base));
        self.names.extend(new.filter(|it| !self.names.contains(it)));
        let identifier = &reference["identifier"];
        if let (Some(system), Some(value)) = (identifier["system"].as_str(), identifier["value"].as_str()) {
            self.identifiers.push((system.to_owned(), value.to_owned()));
        }
    }
}

fn name(reference: &str, base: &str) -> Option<String> {
    match literal(reference, base) {
        Literal::Local(name) | Literal::Elsewhere(name) => Some(name.to_owned()),
        Literal::Contained(_) | Literal::Unclear => None,
    }
}
