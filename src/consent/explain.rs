//! A trace in words that a privacy officer reads.

use std::fmt::Write;

use super::answer::{Answer, Kind};
use super::labels::label::Label;
use super::node_outcome::{NodeOutcome, Reply};
use super::payload::node::Node;
use super::trace::{ConsentTrace, CriterionTrace, LabelTrace, NodeTrace, RuleTrace, Trace};
use super::truth::Truth;
use super::version_of;

/// Tells a decision in words.
///
/// # Panics
/// Never: writing to a string does not fail.
pub fn explain(trace: &Trace) -> String {
    let mut text = String::new();
    tell(&mut text, trace).expect("writing to a string does not fail");
    text
}

/// Keeps what was decided about one node.
pub fn trace_of(node: &Node<'_>, outcome: NodeOutcome, replies: Vec<Reply<'_>>) -> NodeTrace {
    let label = |it: &Label| LabelTrace { label: it.code.clone(), from: "label".to_owned() };
    let classified = node.labels.classified.iter();
    let told = classified.map(|(about, code)| LabelTrace { label: (*about).to_owned(), from: code.clone() });
    NodeTrace {
        node: node.name.clone(),
        outcome: match outcome {
            NodeOutcome::Released(_) => "released",
            NodeOutcome::NeedsConsent(_) => "needs-consent",
            NodeOutcome::Uncertain(_) => "uncertain",
            NodeOutcome::Denied(_) => "denied",
        }
        .into(),
        rule: outcome.rule().into(),
        labels: node.labels.stated.iter().map(label).chain(told).collect(),
        consents: replies.into_iter().map(consent_trace).collect(),
    }
}

fn consent_trace(reply: Reply<'_>) -> ConsentTrace {
    ConsentTrace {
        consent: version_of(reply.consent),
        answer: reply.verdict.answer,
        rule: reply.rule.into(),
        rules: reply.rules,
    }
}

fn tell(text: &mut String, trace: &Trace) -> std::fmt::Result {
    let outcome = match &*trace.outcome {
        "permit" => "It may go as it is",
        "redact" => "It may go in part",
        "hold" => "It is kept for now",
        _ => "It may not go",
    };
    writeln!(text, "{outcome} ({}).", trace.rule)?;
    if let Some(boundary) = trace.next_boundary {
        writeln!(text, "A period begins or ends at {boundary}: it is decided again then.")?;
    }
    writeln!(text, "Sensitive codes by list version {}.", trace.lists)?;
    trace.nodes.iter().try_for_each(|node| tell_node(text, node))
}

fn tell_node(text: &mut String, node: &NodeTrace) -> std::fmt::Result {
    let outcome = match &*node.outcome {
        "released" => "may go",
        "needs-consent" => "needs a consent that covers it",
        "uncertain" => "cannot be decided",
        _ => "may not go",
    };
    writeln!(text, "\n{} {outcome} ({}).", node.node, node.rule)?;
    for label in &node.labels {
        match label.from.as_str() {
            "label" => writeln!(text, "  It is labelled {}.", label.label)?,
            code => writeln!(text, "  Its content {code} means {}.", label.label)?,
        }
    }
    node.consents.iter().try_for_each(|it| tell_consent(text, it))
}

fn tell_consent(text: &mut String, consent: &ConsentTrace) -> std::fmt::Result {
    writeln!(text, "  {} {} ({}).", consent.consent, in_words(consent.answer), consent.rule)?;
    consent.rules.iter().try_for_each(|rule| tell_rule(text, rule))
}

fn tell_rule(text: &mut String, rule: &RuleTrace) -> std::fmt::Result {
    let kind = match rule.kind {
        Kind::Permit => "permit",
        Kind::Deny => "deny",
    };
    write!(text, "    {}, a {kind}, {}", rule.path, in_words(rule.answer))?;
    let mut separator = ": ";
    for CriterionTrace { name, value, truth } in &rule.criteria {
        let matched = match truth {
            Truth::True => "matches",
            Truth::Unknown => "cannot be told",
            Truth::False => "does not match",
        };
        write!(text, "{separator}{name} ({value}) {matched}")?;
        separator = ", ";
    }
    writeln!(text, ".")
}

const fn in_words(answer: Answer) -> &'static str {
    match answer {
        Answer::Silent => "says nothing about it",
        Answer::NotCovered => "addresses this recipient and purpose but does not cover it",
        Answer::MayPermit => "may permit it",
        Answer::Permit => "permits it",
        Answer::MayDeny => "may deny it",
        Answer::Deny => "denies it",
    }
}
