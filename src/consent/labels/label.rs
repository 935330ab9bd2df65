//! One security label.

use serde_json::Value;

use super::sensitivity::{self, ACT_CODE, Sensitivity};
use crate::model::policy::Confidentiality;

/// The code system of confidentiality.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// A label on data, or one that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its code system; empty where there is none.
    pub system: String,
    /// Its code; empty where there is none.
    pub code: String,
}

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// How confidential.
    Level(Confidentiality),
    /// About what.
    About(Sensitivity),
    /// Something else.
    Other,
}

impl Meaning {
    /// What a label of this system and code says.
    pub fn of(system: &str, code: &str) -> Self {
        let level = || match code {
            "S" | "T" | "C" => Some(Confidentiality::Restricted),
            code => Confidentiality::from_code(code),
        };
        let about = |code: &str| sensitivity::of_code(code).map_or(Self::Other, Self::About);
        match (system, code) {
            (CONFIDENTIALITY, code @ ("HIV" | "ETH" | "PSY" | "SDV")) | (ACT_CODE, code) => about(code),
            (CONFIDENTIALITY, _) => level().map_or(Self::Other, Self::Level),
            _ => Self::Other,
        }
    }
}

impl Label {
    /// A label of this system and code.
    pub fn new(system: &str, code: &str) -> Self {
        Self { system: system.to_owned(), code: code.to_owned() }
    }

    /// Reads a `Coding`.
    pub fn of_coding(coding: &Value) -> Self {
        Self::new(coding["system"].as_str().unwrap_or_default(), coding["code"].as_str().unwrap_or_default())
    }

    /// What it says. Old codes of v3-Confidentiality are read as what replaced them (consent (b)).
    pub fn meaning(&self) -> Meaning {
        Meaning::of(&self.system, &self.code)
    }
}
