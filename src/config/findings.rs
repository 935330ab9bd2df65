//! Collects the mistakes of one file.

use super::document::{Document, Part};
use super::key::Key;
use super::problem::{Code, Effect, Problem};

/// The mistakes of one file so far. A setting that was reported once is not reported again, nor is anything
/// inside it: one mistake should not look like three.
pub(crate) struct Findings {
    document: Document,
    effect: Effect,
    reported: Vec<Key>,
    problems: Vec<Problem>,
}

impl Findings {
    /// Starts with none.
    pub(crate) fn new(document: Document, effect: Effect) -> Self {
        Self { document, effect, reported: Vec::new(), problems: Vec::new() }
    }

    /// Reports a mistake.
    pub(crate) fn report(
        &mut self,
        code: Code,
        key: impl Into<Key>,
        message: String,
        help: impl Into<String>,
    ) {
        let key = key.into();
        if self.is_reported(&key) {
            return;
        }
        let part = if code == Code::UnknownKey { Part::Name } else { Part::Value };
        self.problems.push(Problem {
            code,
            file: self.document.file.clone(),
            key: key.to_string(),
            message,
            help: help.into(),
            place: Some(self.document.place(&key, part)),
            effect: self.effect,
        });
        self.reported.push(key);
    }

    /// Whether the setting, or something around it, was reported.
    pub(crate) fn is_reported(&self, key: &Key) -> bool {
        self.reported.iter().any(|reported| key.is_within(reported))
    }

    /// Whether there is any mistake.
    pub(crate) fn any(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Hides a value in what is shown from now on.
    pub(crate) fn mask(&mut self, key: &Key) {
        self.document.mask(key);
    }

    /// The names that the file writes directly inside a table.
    pub(crate) fn names_in(&self, table: &str) -> Vec<String> {
        self.document.names_in(&Key::from(table))
    }

    /// Whether the file itself writes a setting, in contrast to one that has its default.
    pub(crate) fn writes(&self, key: &str) -> bool {
        let key = Key::from(key);
        key.parent().is_some_and(|table| self.document.names_in(&table).iter().any(|it| it == key.name()))
    }

    /// All mistakes, in the order of the file.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|it| it.place.as_ref().map(|place| (place.line, place.column)));
        self.problems
    }
}
