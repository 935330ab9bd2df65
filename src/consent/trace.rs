//! How a decision came about, step by step. Holds ids, codes and rule names, but a code can be the secret
//! itself: for the protected store and the privacy officer, never for logs (consent S11).
//!
//! It is stored as JSON and told later by another program, so it can be read back, and the names of its fields
//! stay as they are.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::answer::{Answer, Kind};
use super::remedies::Remedy;
use super::truth::Truth;

/// A name out of a closed list: of an outcome, of a rule, of an element.
pub type Name = Cow<'static, str>;

/// A whole decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// `permit`, `redact`, `hold` or `deny`.
    pub outcome: Name,
    /// The rule that decided.
    pub rule: Name,
    /// The version of the sensitivity lists.
    pub lists: String,
    /// When a period that was looked at begins or ends next: decide again then (consent S10).
    #[serde(default, serialize_with = "as_text", deserialize_with = "from_text")]
    pub next_boundary: Option<Timestamp>,
    /// What was decided one by one.
    pub nodes: Vec<NodeTrace>,
    /// What would release it, smallest first. Empty until somebody puts the answer of
    /// [`find`](super::remedies::find) here.
    #[serde(default)]
    pub remedies: Vec<Remedy>,
}

/// One resource, contained resource or element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTrace {
    /// Its name.
    pub node: String,
    /// `released`, `needs-consent`, `uncertain` or `denied`.
    pub outcome: Name,
    /// The rule that decided.
    pub rule: Name,
    /// Its labels with where they come from.
    pub labels: Vec<LabelTrace>,
    /// What each Consent answered.
    pub consents: Vec<ConsentTrace>,
    /// Those that deny although one that permits is dated later: a date lifts no denial (consent S4.2).
    #[serde(default)]
    pub older_denials: Vec<String>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelTrace {
    /// The code.
    pub label: String,
    /// `label`, or the code of the content that tells it.
    pub from: String,
}

/// What one Consent answered about one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTrace {
    /// `Consent/12/_history/3`.
    pub consent: String,
    /// Whether it counts.
    pub counts: Counts,
    /// Its answer.
    pub answer: Answer,
    /// Why.
    pub rule: Name,
    /// What its rules answered, children first.
    pub rules: Vec<RuleTrace>,
}

/// How far a Consent counts (consent S2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// It permits and denies.
    Fully,
    /// It denies, but does not permit.
    OnlyToDeny,
    /// Nobody can tell: it may be a denial.
    AsDoubt,
    /// Not at all.
    NotAtAll,
}

/// What one provision answered about one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTrace {
    /// `Consent/12#0.1`: the second rule in the first rule below the root; `Consent/12#` is the root.
    pub path: String,
    /// Whether it permits or denies.
    pub kind: Kind,
    /// Its own answer.
    pub own: Answer,
    /// Its answer with its children's.
    pub answer: Answer,
    /// Each criterion that holds for it: its own, and those that it has from the rules above it.
    pub criteria: Vec<CriterionTrace>,
}

/// One criterion of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriterionTrace {
    /// The element of the provision: `actor`, `purpose`, `securityLabel` and so on.
    pub element: Name,
    /// What it says, in short: `IRCP Organization/3`, `TREAT`, `until 2026-12-31`.
    pub value: String,
    /// The path of the rule that states it.
    pub stated_by: String,
    /// Whether it matched.
    pub matched: Truth,
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn as_text<S: Serializer>(instant: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    instant.map(|it| it.to_string()).serialize(serializer)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|it| it.parse().map_err(D::Error::custom)).transpose()
}
