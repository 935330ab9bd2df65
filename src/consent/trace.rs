//! How a decision came about, step by step. Holds ids, codes and rule names, but a code can be the secret
//! itself: for the protected store and the privacy officer, never for logs (consent S11).

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::answer::{Answer, Kind};
use super::truth::Truth;

/// A whole decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// `permit`, `redact`, `hold` or `deny`.
    pub outcome: Cow<'static, str>,
    /// The rule that decided.
    pub rule: Cow<'static, str>,
    /// The version of the sensitivity lists.
    pub lists: String,
    /// When a period that was looked at begins or ends next: decide again then (consent S10).
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub next_boundary: Option<Timestamp>,
    /// What was decided one by one.
    pub nodes: Vec<NodeTrace>,
}

/// One resource, contained resource or element.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeTrace {
    /// Its name.
    pub node: String,
    /// `released`, `needs-consent`, `uncertain` or `denied`.
    pub outcome: Cow<'static, str>,
    /// The rule that decided.
    pub rule: Cow<'static, str>,
    /// Its labels with where they come from.
    pub labels: Vec<LabelTrace>,
    /// What each Consent answered.
    pub consents: Vec<ConsentTrace>,
}

/// One label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LabelTrace {
    /// The code.
    pub label: String,
    /// `label`, or the code of the content that tells it.
    pub from: String,
}

/// What one Consent answered about one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsentTrace {
    /// `Consent/12/_history/3`.
    pub consent: String,
    /// Its answer.
    pub answer: Answer,
    /// Why.
    pub rule: Cow<'static, str>,
    /// What its rules answered, children first.
    pub rules: Vec<RuleTrace>,
}

/// What one provision answered about one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleTrace {
    /// `Consent/12#0.1`: the second rule in the first rule below the root; `Consent/12#` is the root.
    pub path: String,
    /// Whether it permits or denies.
    pub kind: Kind,
    /// Its own answer.
    pub own: Answer,
    /// Its answer with its children's.
    pub answer: Answer,
    /// Every criterion that holds for it: its own, and those of the rules above it.
    pub criteria: Vec<CriterionTrace>,
}

/// One criterion of a provision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CriterionTrace {
    /// The element of the provision.
    pub name: Cow<'static, str>,
    /// What it names.
    pub value: String,
    /// Whether it matched.
    pub truth: Truth,
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn as_text<S: Serializer>(instant: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    instant.map(|it| it.to_string()).serialize(serializer)
}

fn of_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|it| it.parse().map_err(serde::de::Error::custom)).transpose()
}
