//! What one Consent answers about one node: its base policy with its provisions (consent S3 and S5).

use serde_json::Value;

use super::answer::{Answer, Kind};
use super::base::{Base, base, is_part_2_form};
use super::labels::sensitivity::Sensitivity;
use super::overarching;
use super::provision::{Verdict, Walk};
use super::question::{Question, items};
use super::recorder::RuleRecorder;
use super::rules::DATA;
use super::rules::actor::is_custodian;

/// What a Part 2 form names.
const SUBSTANCE_USE: [Sensitivity; 4] = ["SUD", "ETH", "ETHUD", "OPIOIDUD"];

/// A Consent's answer with why.
#[derive(Debug)]
pub struct Reasoned<R> {
    /// The answer and what it names.
    pub verdict: Verdict,
    /// The rule that gave it.
    pub rule: &'static str,
    /// What its provisions answered.
    pub rules: R,
}

/// Asks a Consent that counts.
pub fn verdict<R: RuleRecorder>(question: Question<'_>) -> Reasoned<R> {
    let mut walk = Walk::new(question);
    let base = base(question.consent, question.situation.disclosure.purpose);
    let root = question.consent.get("provision");
    let (mut verdict, rule) = match root.map(|it| (it, Kind::of(it))) {
        None => without_provision(&question, base),
        Some((root, Some(kind))) => over_typed_root(walk.typed_root(root), kind, base),
        Some((root, None)) => over_untyped_root(walk.below_untyped_root(root), root, base),
    };
    if verdict.answer == Answer::Permit && is_part_2_form(question.consent) {
        let sensitivities = question.node.labels.sensitivities.iter();
        verdict.named.extend(sensitivities.filter(|it| SUBSTANCE_USE.contains(it)));
    }
    Reasoned { verdict, rule, rules: walk.rules }
}

fn without_provision(question: &Question<'_>, base: Base) -> (Verdict, &'static str) {
    let (answer, rule) = match base {
        Base::Deny(rule) => (Answer::Deny, rule),
        Base::Permit(rule) => (Answer::Permit, rule),
        Base::PermitForOthers => (Answer::Silent, "policy-for-other-purposes"),
        Base::None => match overarching::answer(question) {
            Answer::MayDeny => (Answer::MayDeny, "policy-unknown"),
            answer => (answer, "policy-by-uri"),
        },
    };
    (Verdict::of(answer), rule)
}

/// The provisions decide what they address; the base decides the rest. A permit over a base that permits is
/// no exception from it, so there the rest stays open.
fn over_typed_root(verdict: Verdict, kind: Kind, base: Base) -> (Verdict, &'static str) {
    match (verdict.answer, base, kind) {
        (Answer::Silent | Answer::NotCovered, Base::Deny(rule), _) => (Verdict::of(Answer::Deny), rule),
        (Answer::Silent | Answer::NotCovered, Base::Permit(rule), Kind::Deny) => {
            (Verdict::of(Answer::Permit), rule)
        }
        _ => by_provision(verdict),
    }
}

fn over_untyped_root(nested: Verdict, root: &Value, base: Base) -> (Verdict, &'static str) {
    match (nested.answer, base) {
        (Answer::Permit, _) => by_provision(nested),
        (Answer::MayPermit, Base::Deny(rule)) => (Verdict::of(Answer::MayDeny), rule),
        (_, Base::Deny(rule)) => (Verdict::of(Answer::Deny), rule),
        (Answer::Deny | Answer::MayDeny, _) => by_provision(nested),
        (_, Base::Permit(rule)) => (Verdict::of(rest_under_permit(root)), rule),
        (_, Base::None) if root.get("provision").is_none() => {
            (Verdict::of(Answer::MayDeny), "provision-without-type")
        }
        (_, Base::None | Base::PermitForOthers) => by_provision(nested),
    }
}

/// HL7's own examples write the same untyped root to limit a permission and to withhold from it.
fn rest_under_permit(root: &Value) -> Answer {
    let has_permits = items(&root["provision"]).any(|it| Kind::of(it) == Some(Kind::Permit));
    if narrows(root) {
        Answer::MayDeny
    } else if has_permits {
        Answer::MayPermit
    } else {
        Answer::Permit
    }
}

fn narrows(root: &Value) -> bool {
    let states = |name: &str| root.get(name).is_some();
    let names_others = items(&root["actor"]).any(|it| !is_custodian(it));
    states("action") || states("purpose") || DATA.iter().any(|it| states(it.name)) || names_others
}

fn by_provision(verdict: Verdict) -> (Verdict, &'static str) {
    let rule = match verdict.answer {
        Answer::Deny => "provision-deny",
        Answer::MayDeny => "provision-may-deny",
        Answer::Permit => "provision-permit",
        Answer::MayPermit => "provision-may-permit",
        Answer::NotCovered => "provision-does-not-cover",
        Answer::Silent => "provision-silent",
    };
    (verdict, rule)
}
