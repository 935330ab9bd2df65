//! A trace in words that a privacy officer reads. Rule names stand in parentheses: the documentation lists
//! them.

use std::fmt::{Result, Write};

use super::answer::{Answer, Kind};
use super::remedies::change::Change;
use super::trace::{ConsentTrace, Counts, CriterionTrace, LabelTrace, NodeTrace, RuleTrace, Trace};
use super::truth::Truth;
use super::words::of_rule;

/// Tells a decision in words.
///
/// # Panics
/// Never: writing to a string does not fail.
pub fn explain(trace: &Trace) -> String {
    let mut text = String::new();
    tell(&mut text, trace).expect("writing to a string does not fail");
    text
}

fn tell(text: &mut String, trace: &Trace) -> Result {
    let outcome = match trace.outcome.as_ref() {
        "permit" => "It may go as it is",
        "redact" => "It may go in part",
        "hold" => "It is kept for now",
        _ => "It may not go",
    };
    writeln!(text, "{outcome}: {}.", why(&trace.rule))?;
    if let Some(boundary) = trace.next_boundary {
        writeln!(text, "A period begins or ends at {boundary}: it is decided again then.")?;
    }
    writeln!(text, "Sensitive codes by list version {}.", trace.lists)?;
    trace.nodes.iter().try_for_each(|node| tell_node(text, node))?;
    tell_remedies(text, trace)
}

fn tell_remedies(text: &mut String, trace: &Trace) -> Result {
    let mut gap = "\n";
    for remedy in &trace.remedies {
        let changes: Vec<String> = remedy.changes.iter().map(tell_change).collect();
        let goes = match (trace.outcome.as_ref(), remedy.outcome.as_ref()) {
            ("redact", _) => "The rest would go too",
            (_, "redact") => "It would go in part",
            _ => "It would go",
        };
        writeln!(text, "{gap}{goes} if {}.", changes.join(" and "))?;
        gap = "";
    }
    Ok(())
}

fn tell_change(change: &Change) -> String {
    match change {
        Change::ConsentsRead => "the Consents were read and were those that are known".to_owned(),
        Change::LabellingWorks => "labels could be computed".to_owned(),
        Change::CriterionMet { rule, element, value } => {
            format!("the {element} of {rule} were met or left out ({value})")
        }
        Change::RuleTakenOut { rule } => format!("the rule {rule} were taken out"),
        Change::ConsentInactive { consent } => format!("{consent} were made inactive"),
        Change::NewConsent { recipient, purpose, names } => {
            let naming =
                if names.is_empty() { String::new() } else { format!(" and names {}", names.join(", ")) };
            format!("the patient gave a new Consent that permits {recipient} to get it for {purpose}{naming}")
        }
    }
}

/// What a rule means, with its name.
fn why(rule: &str) -> String {
    of_rule(rule).map_or_else(|| format!("({rule})"), |words| format!("{words} ({rule})"))
}

fn tell_node(text: &mut String, node: &NodeTrace) -> Result {
    let outcome = match node.outcome.as_ref() {
        "released" => "may go",
        "needs-consent" => "needs a consent that covers it",
        "uncertain" => "cannot be decided",
        _ => "may not go",
    };
    writeln!(text, "\n{} {outcome}: {}.", node.node, why(&node.rule))?;
    node.labels.iter().try_for_each(|it| tell_label(text, it))?;
    for denial in &node.older_denials {
        writeln!(
            text,
            "  An older denial, {denial}, stands against a newer permission: \
             the denial must be made inactive before the permission counts."
        )?;
    }
    if node.consents.is_empty() {
        writeln!(text, "  There is no Consent.")?;
    }
    node.consents.iter().try_for_each(|it| tell_consent(text, it))
}

fn tell_label(text: &mut String, label: &LabelTrace) -> Result {
    match label.from.as_str() {
        "label" => writeln!(text, "  It is labelled {}.", label.label),
        code => writeln!(text, "  Its content {code} means {}.", label.label),
    }
}

fn tell_consent(text: &mut String, consent: &ConsentTrace) -> Result {
    let counts = match (consent.counts, consent.answer) {
        (Counts::NotAtAll, _) => "does not count",
        (Counts::AsDoubt, _) => "counts as a possible denial",
        (Counts::OnlyToDeny, Answer::Silent) => "does not count as a permission and does not deny it",
        (_, answer) => in_words(answer),
    };
    writeln!(text, "  {} {counts}: {}.", consent.consent, why(&consent.rule))?;
    consent.rules.iter().try_for_each(|rule| tell_rule(text, rule))
}

fn tell_rule(text: &mut String, rule: &RuleTrace) -> Result {
    let kind = match rule.kind {
        Kind::Permit => "permit",
        Kind::Deny => "deny",
    };
    write!(text, "    {}, a {kind}, {}", rule.path, in_words(rule.answer))?;
    if rule.answer != rule.own {
        write!(text, " with the rules below it, and by itself {}", in_words(rule.own))?;
    }
    let mut separator = ": ";
    for criterion in &rule.criteria {
        write!(text, "{separator}")?;
        tell_criterion(text, criterion, &rule.path)?;
        separator = ", ";
    }
    writeln!(text, ".")
}

/// A criterion with its value, and with the rule that states it where that is one above.
fn tell_criterion(text: &mut String, criterion: &CriterionTrace, path: &str) -> Result {
    let matched = match criterion.matched {
        Truth::True => "matches",
        Truth::Unknown => "cannot be told",
        Truth::False => "does not match",
    };
    write!(text, "{} {}", criterion.element, criterion.value)?;
    if criterion.stated_by != path {
        write!(text, " (from {})", criterion.stated_by)?;
    }
    write!(text, " {matched}")
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
