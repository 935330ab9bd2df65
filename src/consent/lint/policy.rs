//! A base policy and a root that do not go together, or say nothing computable (consent S3).

use serde_json::Value;

use super::{Effect, Finding};
use crate::consent::answer::Kind;
use crate::consent::base::{Base, base};
use crate::consent::disclosure::Purpose;
use crate::consent::overarching::is_known;
use crate::consent::question::items;
use crate::consent::rules::actor::is_custodian;

/// What narrows a root besides its actors.
const NARROWING: [&str; 7] = ["action", "purpose", "securityLabel", "class", "code", "dataPeriod", "data"];

/// Looks at the policy with the root.
pub fn look(consent: &Value, findings: &mut Vec<Finding>) {
    // For an emergency every policy that permits at all permits.
    let base = base(consent, &Purpose::reason("ETREAT"));
    match consent.get("provision") {
        None if base == Base::None => without_rules(consent, findings),
        Some(root) if root.is_object() && root.get("type").is_none() => {
            untyped_root(root, base, findings);
        }
        _ => {}
    }
}

/// Only policies that are known by their address speak without rules. One that always denies is heard
/// whatever stands beside it.
fn without_rules(consent: &Value, findings: &mut Vec<Finding>) {
    let uri = |it: &Value| it["uri"].as_str().unwrap_or_default().to_owned();
    let mut policies = items(&consent["policy"]).map(uri).peekable();
    let says_nothing = policies.peek().is_none();
    let policies: Vec<String> = policies.collect();
    let denies = policies.iter().any(|it| is_known(it) && (it.ends_with("deny") || it.ends_with("only")));
    if denies || (!says_nothing && policies.iter().all(|it| is_known(it))) {
        return;
    }
    let element = match policies.iter().position(|it| !is_known(it)) {
        Some(index) => format!("Consent.policy[{index}]"),
        None if consent.get("policyRule").is_some() => "Consent.policyRule".to_owned(),
        None => return, // That there is no policy at all has been told.
    };
    let fix = "Add a `provision` with a `type` that says what is permitted or denied, or name a policy that \
               can be computed, such as `policyRule` OPTIN or OPTOUT of v3-ActCode.";
    findings.push(Finding::only_holds(&element, "policy-unknown", fix));
}

fn untyped_root(root: &Value, base: Base, findings: &mut Vec<Finding>) {
    let mut nested = items(&root["provision"]).peekable();
    let is_alone = nested.peek().is_none();
    let has_permits = nested.any(|it| Kind::of(it) == Some(Kind::Permit));
    let finding = match base {
        Base::None if is_alone => Some(untyped_alone()),
        // An emergency policy denies for certain where there is no emergency.
        Base::Permit(rule) if narrows(root) => {
            Some(untyped_narrowing(is_alone && rule != "policy-emergency-only"))
        }
        Base::Permit(_) if has_permits => Some(untyped_around_permits()),
        _ => None,
    };
    findings.extend(finding);
}

fn untyped_alone() -> Finding {
    let fix = "Give the root `type` `permit` or `deny`, or nest rules that have one.";
    Finding::only_holds(&"Consent.provision", "untyped-root-without-rules", fix)
}

/// Where rules are nested, these are heard, and only the rest is held.
fn untyped_narrowing(only_holds: bool) -> Finding {
    let fix = "Give the root `type` `permit` if the policy holds for this only, or `deny` if for all but this: \
               without it the rule can be read either way.";
    let effect = if only_holds { Effect::OnlyHolds } else { Effect::Weaker };
    Finding::new(&"Consent.provision", "untyped-root-narrows", effect, fix)
}

fn untyped_around_permits() -> Finding {
    let fix = "Give the root `type` `deny` if only what is nested is permitted, or remove the nested permits: \
               without it, what lies outside of them is unclear.";
    Finding::weaker(&"Consent.provision", "untyped-root-with-permits", fix)
}

fn narrows(root: &Value) -> bool {
    NARROWING.iter().any(|it| root.get(it).is_some()) || items(&root["actor"]).any(|it| !is_custodian(it))
}
