//! May this partner see this, now? Pure: the same question has the same answer.
//!
//! Silence and doubt never release: only a Consent that certainly permits, or the clinic's default where no
//! Consent speaks, makes a [`Permit`]. Source of every rule: `reference/consent.md`, parts (a) and (b); the
//! folders follow its sections: `standing` is S2, `base` and `verdict` S3, `node_outcome` and `default` S4,
//! `provision` S5, `period` S6, `rules` and `matching` S7, `payload`, `outcome` and `redact` S8.

pub mod answer;
pub mod base;
pub mod boundary;
pub mod case;
pub mod default;
pub mod disclosure;
pub mod explain;
pub mod family;
pub mod labels;
pub mod lint;
pub mod matching;
pub mod node_outcome;
pub mod outcome;
pub mod overarching;
pub mod payload;
pub mod period;
pub mod permit;
pub mod provision;
pub mod purpose;
pub mod question;
pub mod recorder;
pub mod redact;
pub mod remedies;
pub mod rules;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod trace;
pub mod truth;
pub mod values;
pub mod verdict;
pub mod words;

use serde_json::Value;

use disclosure::Disclosure;
use labels::sensitivity::is_among;
use matching::situation::Situation;
use node_outcome::{Considered, NodeOutcome, Reply, replies, settle};
use outcome::{Decided, Outcome, of_payload};
use payload::Item;
use payload::node::Node;
use permit::{Decision, Obligation, Permit, Refusal};
use recorder::{Asked, Nothing, Recorder};
use standing::standing;
use trace::{NodeTrace, Trace};

use crate::fhir::resource;
use crate::model::update::DecisionNote;

/// Decides one disclosure.
pub fn decide(disclosure: &Disclosure<'_>) -> Decision {
    decision(disclosure, outcome(disclosure, &mut Nothing))
}

/// Decides one disclosure and says how, for the protected store and the privacy officer.
pub fn examine(disclosure: &Disclosure<'_>) -> (Decision, Trace) {
    let mut nodes: Vec<NodeTrace> = Vec::new();
    let decision = decision(disclosure, outcome(disclosure, &mut nodes));
    let note = decision.note();
    let trace = Trace {
        outcome: note.outcome.into(),
        rule: note.rule.into(),
        lists: disclosure.clinic.lists.version().to_owned(),
        next_boundary: boundary::next(disclosure),
        nodes,
        remedies: Vec::new(),
    };
    (decision, trace)
}

/// What is decided, with what must go along; the recorder hears how.
fn outcome(disclosure: &Disclosure<'_>, recorder: &mut impl Recorder) -> (Outcome, Vec<Obligation>) {
    match refused(disclosure) {
        Some(rule) => (Outcome::Hold(rule), Vec::new()),
        None => look_at(&payload::items(disclosure), &Situation::of(disclosure), recorder),
    }
}

/// A question that cannot be asked is not answered (consent S1).
fn refused(disclosure: &Disclosure<'_>) -> Option<&'static str> {
    let receiver = disclosure.receiver;
    let others = receiver.practitioner.iter().chain(&receiver.practitioner_role);
    if receiver.organization.is_nobody() && others.into_iter().all(disclosure::Party::is_nobody) {
        return Some("recipient-unclear");
    }
    let purpose = disclosure.purpose;
    let unknown = purpose.system == purpose::ACT_REASON && !purpose::is_known(&purpose.code);
    (purpose.code.is_empty() || unknown).then_some("purpose-unclear")
}

fn look_at<'a, R: Recorder>(
    items: &'a [Item<'a>],
    situation: &'a Situation<'a>,
    recorder: &mut R,
) -> (Outcome, Vec<Obligation>) {
    let disclosure = situation.disclosure;
    let considered: Vec<Considered<'_>> = disclosure
        .consents
        .iter()
        .map(|consent| Considered { consent, standing: standing(consent, situation) })
        .collect();
    let mut ask = |node: &'a Node<'a>| {
        let replies: Vec<Reply<'_, R::Rules>> = replies(node, situation, &considered);
        let outcome = settle(&replies, node, situation);
        recorder.node(Asked { situation, node, outcome, replies, considered: &considered });
        outcome
    };
    let decided: Vec<Decided<'_>> = items
        .iter()
        .map(|item| Decided {
            item,
            outcome: ask(&item.node),
            parts: item.parts.iter().map(&mut ask).collect(),
        })
        .collect();
    let is_signed = disclosure.resources.iter().any(|it| it.get("signature").is_some());
    (of_payload(&decided, is_signed), obligations(&decided))
}

/// Substance use data goes only with the notice that it may not be passed on (consent S8).
fn obligations(decided: &[Decided<'_>]) -> Vec<Obligation> {
    let nodes = decided.iter().flat_map(|it| {
        std::iter::once((&it.item.node, it.outcome)).chain(it.item.parts.iter().zip(it.parts.iter().copied()))
    });
    let mut released = nodes.filter(|(_, outcome)| matches!(outcome, NodeOutcome::Released(_)));
    let substance_use =
        |node: &Node<'_>| node.labels.sensitivities.iter().any(|it| is_among(it, &["SUD", "ETH"]));
    released.any(|(node, _)| substance_use(node)).then_some(Obligation::Part2Notice).into_iter().collect()
}

fn decision(disclosure: &Disclosure<'_>, (outcome, obligations): (Outcome, Vec<Obligation>)) -> Decision {
    let note = |outcome, rule| DecisionNote {
        outcome,
        rule,
        consents: disclosure.consents.iter().map(version_of).collect(),
    };
    match outcome {
        Outcome::Hold(rule) => Decision::Hold(Refusal { note: note("hold", rule) }),
        Outcome::Deny(rule) => Decision::Deny(Refusal { note: note("deny", rule) }),
        Outcome::Release(rule, removals) => Decision::Permit(Permit::new(
            disclosure.version.clone(),
            disclosure.recipient.clone(),
            note(if removals.is_empty() { "permit" } else { "redact" }, rule),
            (removals, obligations),
        )),
    }
}

/// How decisions name a version of a Consent: `Consent/12/_history/3`.
pub fn version_of(consent: &Value) -> String {
    let (of, id) = (resource::resource_type(consent), resource::id(consent));
    [of, "/", id, "/_history/", resource::version(consent)].concat()
}
