//! The criteria of a provision, one file each (consent S7). Within a criterion the values are alternatives.

pub mod action;
pub mod actor;
pub mod author;
pub mod class;
pub mod code;
pub mod data;
pub mod data_period;
pub mod period;
pub mod purpose;
pub mod security_label;

use serde_json::Value;

use super::answer::Kind;
use super::question::Question;
use super::truth::Truth;

/// One criterion: the element's name and whether it matches.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    /// The element of the provision.
    pub name: &'static str,
    /// Whether its value matches, for a rule of this kind.
    pub matches: fn(&Question<'_>, &Value, Kind) -> Truth,
}

/// About the request: a rule's own and those of every rule above it must match.
pub static REQUEST: [Criterion; 4] = [
    Criterion { name: "period", matches: period::matches },
    Criterion { name: "actor", matches: actor::matches },
    Criterion { name: "action", matches: action::matches },
    Criterion { name: "purpose", matches: purpose::matches },
];

/// About the data: what a rule states replaces what the rules above it state.
pub static DATA: [Criterion; 5] = [
    Criterion { name: "securityLabel", matches: security_label::matches },
    Criterion { name: "class", matches: class::matches },
    Criterion { name: "code", matches: code::matches },
    Criterion { name: "dataPeriod", matches: data_period::matches },
    Criterion { name: "data", matches: data::matches },
];
