//! What the outcomes of all nodes mean for the payload (consent S8).

use super::node_outcome::NodeOutcome;
use super::payload::Item;
use super::payload::node::{Place, Role};

/// What is decided about the payload, with the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send it without these.
    Release(&'static str, Vec<Place>),
    /// Keep it.
    Hold(&'static str),
    /// Do not send it.
    Deny(&'static str),
}

/// An item with what was decided about it and its parts.
#[derive(Debug)]
pub struct Decided<'a> {
    /// The item.
    pub item: &'a Item<'a>,
    /// What was decided about it.
    pub outcome: NodeOutcome,
    /// What was decided about its parts, in their order.
    pub parts: Vec<NodeOutcome>,
}

/// Puts the outcomes together. What carries the rest decides for all; one doubt holds everything; what is
/// denied or lacks a named consent is taken out, unless somebody signed the whole.
pub fn of_payload(decided: &[Decided<'_>], is_signed: bool) -> Outcome {
    if decided.is_empty() {
        return Outcome::Hold("nothing-to-decide-on");
    }
    for carrier in decided.iter().filter(|it| it.item.is_carrier) {
        match carrier.outcome {
            NodeOutcome::Released(_) => {}
            NodeOutcome::Denied(rule) => return Outcome::Deny(rule),
            NodeOutcome::NeedsConsent(rule) | NodeOutcome::Uncertain(rule) => return Outcome::Hold(rule),
        }
    }
    if let Some(rule) = decided.iter().find_map(doubt) {
        return Outcome::Hold(rule);
    }
    if let Some(refusal) = nothing_left(decided) {
        return refusal;
    }
    let removals: Vec<Place> = decided.iter().flat_map(removals).collect();
    if !removals.is_empty() && is_signed {
        return Outcome::Deny("signed-whole");
    }
    let clinical = decided.iter().find(|it| is_clinical(it) && is_released(it.outcome));
    Outcome::Release(clinical.unwrap_or(&decided[0]).outcome.rule(), removals)
}

/// The rule that leaves an item, or a part of an item that would go, in doubt.
fn doubt(decided: &Decided<'_>) -> Option<&'static str> {
    let of = |outcome: &NodeOutcome| match outcome {
        NodeOutcome::Uncertain(rule) => Some(*rule),
        _ => None,
    };
    let parts = if is_released(decided.outcome) { decided.parts.as_slice() } else { &[] };
    of(&decided.outcome).or_else(|| parts.iter().find_map(of))
}

/// Nothing clinical is left: a hold if a consent would release it all, else a denial.
fn nothing_left(decided: &[Decided<'_>]) -> Option<Outcome> {
    let clinical: Vec<NodeOutcome> =
        decided.iter().filter(|it| is_clinical(it)).map(|it| it.outcome).collect();
    if clinical.iter().any(|it| is_released(*it)) {
        return None;
    }
    let denied = clinical.iter().find(|it| matches!(it, NodeOutcome::Denied(_)));
    let waits = clinical.first().map_or("nothing-to-decide-on", |it| it.rule());
    Some(denied.map_or(Outcome::Hold(waits), |it| Outcome::Deny(it.rule())))
}

fn removals(decided: &Decided<'_>) -> Vec<Place> {
    if !is_released(decided.outcome) {
        return vec![decided.item.node.place.clone()];
    }
    let parts = decided.item.parts.iter().zip(&decided.parts);
    parts.filter(|(_, outcome)| !is_released(**outcome)).map(|(part, _)| part.place.clone()).collect()
}

fn is_clinical(decided: &Decided<'_>) -> bool {
    decided.item.node.role == Role::Clinical
}

const fn is_released(outcome: NodeOutcome) -> bool {
    matches!(outcome, NodeOutcome::Released(_))
}
