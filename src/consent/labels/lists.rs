//! Which codes are sensitive: data with a version, replaceable by the clinic (consent (b)).

use std::collections::HashMap;

use serde::Deserialize;

use super::sensitivity::{self, Sensitivity};

/// The lists that come with the program.
const BUILT_IN: &str = include_str!("../../../profiles/sensitivity/codes.json");

/// Codes and places by which unlabelled data is recognised as sensitive.
#[derive(Clone, Debug)]
pub struct SensitivityLists {
    version: String,
    codes: HashMap<(String, String), Vec<Sensitivity>>,
    prefixes: Vec<(String, String, Sensitivity)>,
    places: Vec<(String, Sensitivity)>,
    detectable: Vec<Sensitivity>,
}

/// Lists could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListsProblem {
    /// The text is not of the form of `profiles/sensitivity/codes.json`.
    #[error("not a sensitivity list: {0}")]
    Form(#[from] serde_json::Error),
    /// A rule names a sensitivity that v3-ActCode does not have.
    #[error("unknown sensitivity {0}")]
    Sensitivity(String),
}

impl SensitivityLists {
    /// The lists that come with the program.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the lists that come with the program")
    }

    /// Reads lists of the clinic's own.
    pub fn parse(text: &str) -> Result<Self, ListsProblem> {
        let file: File = serde_json::from_str(text)?;
        let mut lists = Self {
            version: file.version,
            codes: HashMap::new(),
            prefixes: Vec::new(),
            places: Vec::new(),
            detectable: Vec::new(),
        };
        for rule in file.rules {
            lists.add(&rule)?;
        }
        for place in file.places {
            let about = lists.known(&place.sensitivity)?;
            lists.places.extend(place.references.into_iter().map(|it| (it, about)));
        }
        Ok(lists)
    }

    /// The version, for the record.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a code is about.
    pub fn of_code<'a>(&'a self, system: &'a str, code: &'a str) -> impl Iterator<Item = Sensitivity> + 'a {
        let exact = self.codes.get(&(system.to_owned(), code.to_owned())).into_iter().flatten().copied();
        let begins = self
            .prefixes
            .iter()
            .filter(move |(it, prefix, _)| it == system && code.starts_with(prefix.as_str()));
        exact.chain(begins.map(|(_, _, about)| *about))
    }

    /// What a place or programme is about, by its reference.
    pub fn of_place<'a>(&'a self, reference: &'a str) -> impl Iterator<Item = Sensitivity> + 'a {
        self.places.iter().filter(move |(it, _)| it == reference).map(|(_, about)| *about)
    }

    /// Whether unlabelled data of this kind would be recognised.
    pub fn can_detect(&self, about: Sensitivity) -> bool {
        sensitivity::reached_by_deny(about).iter().any(|it| self.detectable.contains(it))
    }

    fn add(&mut self, rule: &Rule) -> Result<(), ListsProblem> {
        let about = self.known(&rule.sensitivity)?;
        for system in &rule.systems {
            for code in &rule.codes {
                self.codes.entry((system.clone(), code.clone())).or_default().push(about);
            }
            let prefixes = rule.prefixes.iter().map(|it| (system.clone(), it.clone(), about));
            self.prefixes.extend(prefixes);
        }
        Ok(())
    }

    fn known(&mut self, code: &str) -> Result<Sensitivity, ListsProblem> {
        let about = sensitivity::of_code(code).ok_or_else(|| ListsProblem::Sensitivity(code.to_owned()))?;
        if !self.detectable.contains(&about) {
            self.detectable.push(about);
        }
        Ok(about)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    #[serde(rename = "source")]
    _source: String,
    rules: Vec<Rule>,
    #[serde(default)]
    places: Vec<Place>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    sensitivity: String,
    systems: Vec<String>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    sensitivity: String,
    references: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_lists_know_codes_and_beginnings_of_codes() {
        let lists = SensitivityLists::built_in();
        let of = |system, code| lists.of_code(system, code).collect::<Vec<_>>();

        assert_eq!(of("http://hl7.org/fhir/sid/icd-10-cm", "F11.20"), ["OPIOIDUD"]);
        assert_eq!(of("http://loinc.org", "44249-1"), ["PSY"]);
        assert_eq!(of("http://loinc.org", "718-7"), [""; 0]);
        assert!(lists.can_detect("SPI"));
        assert!(!lists.can_detect("GDIS"));
    }

    #[test]
    fn a_list_with_an_unknown_sensitivity_is_refused() {
        let text = r#"{"version":"1","source":"","rules":[{"sensitivity":"SECRET","systems":[]}]}"#;

        assert!(matches!(SensitivityLists::parse(text), Err(ListsProblem::Sensitivity(_))));
    }
}
