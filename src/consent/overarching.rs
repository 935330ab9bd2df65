//! The policies of IHE PCF that a Consent without provisions may name by URI (consent S3).

use super::answer::Answer;
use super::payload::node::Node;
use super::purpose::is_under;
use super::question::{Question, items};
use crate::model::policy::Confidentiality;

const PCF: &str = "https://profiles.ihe.net/ITI/PCF/Policy-";

/// The strongest answer of the policies that a Consent names. None names one: it says nothing computable.
pub fn answer(question: &Question<'_>) -> Answer {
    let policies = items(&question.consent["policy"]).map(|it| it["uri"].as_str().unwrap_or_default());
    policies.map(|uri| one(uri, question)).max().unwrap_or(Answer::MayDeny)
}

/// Whether a policy of this address speaks without provisions.
pub fn is_known(uri: &str) -> bool {
    let name = uri.strip_prefix(PCF);
    name.is_some_and(|it| matches!(it, "basic-normal" | "all-normal" | "break-glass-only" | "deny"))
}

fn one(uri: &str, question: &Question<'_>) -> Answer {
    let purpose = question.situation.disclosure.purpose;
    match uri.strip_prefix(PCF) {
        Some("basic-normal") if is_under(purpose, "TREAT") => normal_only(question.node),
        Some("basic-normal") => Answer::Silent,
        Some("all-normal") => normal_only(question.node),
        Some("break-glass-only") if is_under(purpose, "BTG") => Answer::Permit,
        Some("deny" | "break-glass-only") => Answer::Deny,
        _ => Answer::MayDeny,
    }
}

fn normal_only(node: &Node<'_>) -> Answer {
    if node.labels.confidentiality <= Confidentiality::Normal { Answer::Permit } else { Answer::NotCovered }
}
