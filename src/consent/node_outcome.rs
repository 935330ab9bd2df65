//! What all Consents together mean for one node (consent S4).

use serde_json::Value;

use super::answer::Answer;
use super::default;
use super::disclosure::{Disclosure, Labelling, Source};
use super::family;
use super::labels::sensitivity::is_among;
use super::matching::situation::Situation;
use super::payload::node::{Node, Role};
use super::payload::subject;
use super::provision::Verdict;
use super::purpose::{ACT_REASON, is_known, is_under};
use super::question::Question;
use super::recorder::RuleRecorder;
use super::standing::Standing;
use super::verdict::{Reasoned, verdict};

/// What is decided about one node, with the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeOutcome {
    /// It may go.
    Released(&'static str),
    /// It may not go unless a Consent permits it.
    NeedsConsent(&'static str),
    /// It cannot be told.
    Uncertain(&'static str),
    /// It may not go.
    Denied(&'static str),
}

impl NodeOutcome {
    /// The rule that decided.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Released(rule) | Self::NeedsConsent(rule) | Self::Uncertain(rule) | Self::Denied(rule) => {
                rule
            }
        }
    }
}

/// One Consent and whether it counts.
#[derive(Clone, Copy, Debug)]
pub struct Considered<'a> {
    /// The Consent.
    pub consent: &'a Value,
    /// Whether it counts.
    pub standing: Standing,
}

/// One Consent's answer about a node, with why.
#[derive(Debug)]
pub struct Reply<'a, R> {
    /// The Consent.
    pub consent: &'a Value,
    /// Its answer and what its permit names.
    pub verdict: Verdict,
    /// Why.
    pub rule: &'static str,
    /// What its provisions answered.
    pub rules: R,
}

/// Asks every Consent about a node.
pub fn replies<'a, R: RuleRecorder>(
    node: &'a Node<'a>,
    situation: &'a Situation<'a>,
    considered: &[Considered<'a>],
) -> Vec<Reply<'a, R>> {
    let mut replies: Vec<Reply<'a, R>> = considered.iter().map(|it| reply(*it, node, situation)).collect();
    family::limit_permits(&mut replies, &situation.disclosure.clinic.time_zone);
    replies
}

/// The order of consent S4.1: a deny wins, then doubt, then a permit, then silence goes to the default.
pub fn settle<R>(replies: &[Reply<'_, R>], node: &Node<'_>, situation: &Situation<'_>) -> NodeOutcome {
    let first = |answer: Answer| replies.iter().find(|it| it.verdict.answer == answer).map(|it| it.rule);
    if let Some(rule) = first(Answer::Deny) {
        return NodeOutcome::Denied(rule);
    }
    if contradicts_its_purpose(node, situation.disclosure) {
        return NodeOutcome::Denied("data-for-another-purpose");
    }
    if let Some(rule) = unavailable(situation.disclosure) {
        return NodeOutcome::Uncertain(rule);
    }
    if !subject::is_clear(node, situation.disclosure) {
        return NodeOutcome::Uncertain("subject-unclear");
    }
    if node.role == Role::Accompanying {
        return NodeOutcome::Released("accompanies");
    }
    if let Some(rule) = first(Answer::MayDeny) {
        return NodeOutcome::Uncertain(rule);
    }
    if let Some(rule) = first(Answer::Permit) {
        return permitted(rule, replies, node, situation);
    }
    if let Some(rule) = first(Answer::MayPermit) {
        return NodeOutcome::Uncertain(rule);
    }
    match first(Answer::NotCovered) {
        Some(rule) => NodeOutcome::Denied(rule),
        None => default::judge(node, situation),
    }
}

/// A permit releases what the clinic wants named only if it names it (consent S8).
fn permitted<R>(
    rule: &'static str,
    replies: &[Reply<'_, R>],
    node: &Node<'_>,
    situation: &Situation<'_>,
) -> NodeOutcome {
    let to_be_named = &situation.disclosure.clinic.default.explicit_consent_sensitivity;
    let named = |about: &str| {
        let permits = replies.iter().filter(|it| it.verdict.answer == Answer::Permit);
        permits.into_iter().any(|it| it.verdict.named.contains(&about))
    };
    let all_named =
        node.labels.sensitivities.iter().filter(|it| is_among(it, to_be_named)).all(|it| named(it));
    if all_named { NodeOutcome::Released(rule) } else { NodeOutcome::NeedsConsent("sensitivity-not-named") }
}

fn reply<'a, R: RuleRecorder>(
    considered: Considered<'a>,
    node: &'a Node<'a>,
    situation: &'a Situation<'a>,
) -> Reply<'a, R> {
    let Considered { consent, standing } = considered;
    let without_rules =
        |answer, rule| Reply { consent, verdict: Verdict::of(answer), rule, rules: R::default() };
    match standing {
        Standing::Ignored(rule) => without_rules(Answer::Silent, rule),
        Standing::Doubtful(rule) => without_rules(Answer::MayDeny, rule),
        Standing::DeniesOnly(_) | Standing::Counts => {
            let question = Question { situation, node, consent };
            let Reasoned { verdict, rule, rules } = verdict(question);
            match (standing, verdict.answer) {
                (Standing::DeniesOnly(rule), Answer::Permit | Answer::MayPermit | Answer::NotCovered) => {
                    Reply { consent, verdict: Verdict::of(Answer::Silent), rule, rules }
                }
                _ => Reply { consent, verdict, rule, rules },
            }
        }
    }
}

/// Data that is tagged for some purposes goes for no other (consent S7.3). A tag for tests limits nothing.
fn contradicts_its_purpose(node: &Node<'_>, disclosure: &Disclosure<'_>) -> bool {
    let tags = node.labels.stated.iter().filter(|it| it.system == ACT_REASON);
    let mut tags = tags.filter(|it| is_known(&it.code) && it.code != "HTEST").peekable();
    tags.peek().is_some() && !tags.any(|it| is_under(disclosure.purpose, &it.code))
}

/// Whether the Consents or the labels are not what they are now (consent S9).
fn unavailable(disclosure: &Disclosure<'_>) -> Option<&'static str> {
    match disclosure.source {
        Source::Unavailable => Some("consent-source-unavailable"),
        Source::Read { age } if age > disclosure.clinic.max_staleness => Some("consents-too-old"),
        Source::Read { .. } if disclosure.labelling == Labelling::Down => Some("labelling-unavailable"),
        Source::Read { .. } => None,
    }
}
