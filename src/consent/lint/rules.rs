//! Rules that do not reach whom or what their writer probably meant (consent S7). Doubt never permits, so a
//! criterion that cannot be matched for certain makes a permit empty.

use serde_json::Value;

use super::{Finding, known};
use crate::consent::answer::Kind;
use crate::consent::question::items;
use crate::consent::standing::place::Place;
use crate::consent::standing::walk::DEEPEST;
use crate::fhir::reference::{Target, target};

/// A criterion whose values can be judged by themselves.
struct Criterion {
    element: &'static str,
    is_matchable: fn(&Value) -> bool,
    rule: &'static str,
    fix: &'static str,
}

/// Also those of the rules around a permit must match.
const REQUEST: [Criterion; 2] = [
    Criterion {
        element: "action",
        is_matchable: known::is_action,
        rule: "action-unknown",
        fix: "Give it a code of `http://terminology.hl7.org/CodeSystem/consentaction`: for sending, `disclose`.",
    },
    Criterion {
        element: "purpose",
        is_matchable: known::is_purpose,
        rule: "purpose-unknown",
        fix: "Give it a purpose of use of `http://terminology.hl7.org/CodeSystem/v3-ActReason`: another matches \
              by its very system and code only.",
    },
];

/// Here the nearest rule's count.
const DATA: [Criterion; 2] = [
    Criterion {
        element: "class",
        is_matchable: known::is_class,
        rule: "class-unknown",
        fix: "Give it a resource type (`http://hl7.org/fhir/resource-types`), a profile (`urn:ietf:rfc:3986`), \
              a media type (`urn:ietf:bcp:13`) or a format code of IHE.",
    },
    Criterion {
        element: "code",
        is_matchable: known::is_exact_code,
        rule: "code-without-system",
        fix: "Give every coding its `system` with its `code`: a text or a code alone permits nothing.",
    },
];

/// Looks at a root and everything below it.
pub fn look(root: &Value, findings: &mut Vec<Finding>) {
    look_at(root, Place::Element(&Place::Consent, "provision"), 0, findings);
}

fn look_at(rule: &Value, place: Place<'_>, level: usize, findings: &mut Vec<Finding>) {
    if level > DEEPEST {
        return;
    }
    let kind = Kind::of(rule);
    let around_a_permit = kind == Some(Kind::Permit) || has_permit(rule, level);
    actors(rule, place, around_a_permit, findings);
    if around_a_permit {
        for it in &REQUEST {
            values(rule, it, place, findings);
        }
    }
    if around_a_permit && kind != Some(Kind::Deny) {
        for it in &DATA {
            values(rule, it, place, findings);
        }
    }
    let nested = Place::Element(&place, "provision");
    for (index, it) in items(&rule["provision"]).enumerate() {
        look_at(it, Place::Item(&nested, index), level + 1, findings);
    }
}

fn has_permit(rule: &Value, level: usize) -> bool {
    level <= DEEPEST
        && items(&rule["provision"]).any(|it| Kind::of(it) == Some(Kind::Permit) || has_permit(it, level + 1))
}

fn values(rule: &Value, criterion: &Criterion, place: Place<'_>, findings: &mut Vec<Finding>) {
    let list = Place::Element(&place, criterion.element);
    for (index, _) in
        items(&rule[criterion.element]).enumerate().filter(|(_, it)| !(criterion.is_matchable)(it))
    {
        findings.push(Finding::weaker(&Place::Item(&list, index), criterion.rule, criterion.fix));
    }
}

/// Neither an address that can be followed nor an identifier. What is contained is known by its identifier,
/// which is looked for where it is asked.
fn is_nobody(named: &Value) -> bool {
    let is_followed = named["reference"].as_str().is_some_and(|it| {
        matches!(
            target(it),
            Target::Relative { .. } | Target::Absolute(_) | Target::Contained(_) | Target::Urn(_)
        )
    });
    !is_followed && named.get("identifier").is_none()
}

/// Somebody who cannot be told from others, and a part that nobody plays here.
fn actors(rule: &Value, place: Place<'_>, around_a_permit: bool, findings: &mut Vec<Finding>) {
    let list = Place::Element(&place, "actor");
    for (index, actor) in items(&rule["actor"]).enumerate() {
        let actor_place = Place::Item(&list, index);
        let named = &actor["reference"];
        if named.is_object() && is_nobody(named) {
            let fix = "Name the actor by `reference` or by `identifier` with `system` and `value`: by a display \
                       alone nobody is permitted for certain, and everybody may be denied.";
            let place = Place::Element(&actor_place, "reference");
            findings.push(Finding::weaker(&place, "actor-display-only", fix));
        }
        if around_a_permit && actor.get("role").is_some_and(|it| !known::is_role(it)) {
            let fix = "Give it the role IRCP (who receives), CST (who keeps the data) or AUT (who wrote it): a \
                       permit for another role permits nothing.";
            let place = Place::Element(&actor_place, "role");
            findings.push(Finding::weaker(&place, "actor-role-unknown", fix));
        }
    }
}
