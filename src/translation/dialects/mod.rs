//! The guides that partners follow, as data: one `dialect.toml` each, read and checked once.

mod rules;
mod task;
mod terms;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use rules::{
    CancelWay, ContentLink, Correlation, DialectRules, Door, DuplicateAnswer, Duplicates, ErrorCode, Link,
    MessageRules, PartyType, SubmissionKey,
};
pub use task::{STATE_SYSTEM, say_both_links, say_state, state_after, state_of};
pub use terms::{MessageTerms, OutputTerms, StateTerms, TaskStatus};

use super::codes::CodeMaps;
use crate::model::dialect::Dialect;
use crate::model::referral_state::ReferralState;

/// A `dialect.toml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {text}")]
pub struct DialectFault {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub text: String,
}

impl DialectRules {
    /// Reads and checks a `dialect.toml`.
    pub fn parse(text: &str) -> Result<Self, DialectFault> {
        let rules: Self = toml::from_str(text).map_err(|error| {
            let (line, column) = place(text, error.span().map_or(0, |it| it.start));
            DialectFault { line, column, text: error.message().trim().replace('\n', "; ") }
        })?;
        let fault = |key: &str, fault: String| {
            let at = text.find(key).unwrap_or_default();
            let (line, column) = place(text, at);
            Err(DialectFault { line, column, text: fault })
        };
        for state in ReferralState::ALL {
            let Some(terms) = rules.states.get(&state) else {
                if rules.states.is_empty() {
                    break;
                }
                return fault("[states", format!("[states.{state}] is missing; all states or none"));
            };
            if terms.business_status.is_some() && rules.business_status_system.is_none() {
                let missing = "business_status needs business_status_system at the head of the file";
                return fault(&format!("[states.{state}]"), missing.to_owned());
            }
            if state.is_end() && terms.status.is_none() {
                return fault(&format!("[states.{state}]"), "an end needs a status".to_owned());
            }
        }
        if let Some(needed) = rules.message.as_ref().and_then(MessageRules::unmet_need) {
            let text = format!("header_needs names {needed}, and no other key says what it is");
            return fault("header_needs", text);
        }
        if let Some((from, to)) = rules.transitions().out_of_an_end() {
            return fault("[[transitions]]", format!("nothing leads from {from} to {to}: it is over"));
        }
        Ok(rules)
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// A guide's rules, and the codes of those who follow it.
#[derive(Clone, Debug)]
pub struct DialectTerms {
    /// What the guide says.
    pub rules: Arc<DialectRules>,
    /// Their codes in the clinic's.
    pub to_clinic: CodeMaps,
    /// The clinic's codes in theirs.
    pub to_partner: CodeMaps,
    /// The clinic's codes in our words for states.
    pub states: CodeMaps,
}

/// Every dialect that can be used.
#[derive(Clone, Debug, Default)]
pub struct Dialects(BTreeMap<Dialect, DialectTerms>);

/// What belongs to a dialect cannot be used, so nothing of the partners that follow it can be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the definition of dialect {} cannot be used", .0.word())]
pub struct DialectBroken(pub Dialect);

impl Dialects {
    /// The terms of a dialect.
    pub fn of(&self, dialect: Dialect) -> Result<&DialectTerms, DialectBroken> {
        self.0.get(&dialect).ok_or(DialectBroken(dialect))
    }
}

impl FromIterator<(Dialect, DialectTerms)> for Dialects {
    fn from_iter<I: IntoIterator<Item = (Dialect, DialectTerms)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
