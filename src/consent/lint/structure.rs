//! What keeps a Consent from being understood (consent S2, rule 4), in words.

use std::borrow::Cow;
use std::ops::ControlFlow;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Finding, MOST};
use crate::consent::standing::fault::{Fault, Form, Listener};
use crate::consent::standing::place::Place;
use crate::consent::standing::walk::walk;

/// One finding for each fault.
pub fn findings(consent: &Value, zone: &TimeZone) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    // It ends early only where there are too many to tell.
    let _ = walk(consent, zone, &mut findings);
    findings.0
}

struct Findings(Vec<Finding>);

impl Listener for Findings {
    fn hear(&mut self, place: Place<'_>, fault: Fault) -> ControlFlow<()> {
        self.0.push(Finding::only_holds(&place, rule(fault), fix(place, fault)));
        if self.0.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

const fn rule(fault: Fault) -> &'static str {
    match fault {
        Fault::Modifier => "modifier-not-understood",
        Fault::UnknownElement => "element-unknown",
        Fault::NotA(_) => "json-form",
        Fault::Empty => "element-empty",
        Fault::Missing => "element-missing",
        Fault::OnlyExtensions => "value-missing",
        Fault::NoPolicy => "policy-missing",
        Fault::RuleType => "rule-type-unknown",
        Fault::NestedWithoutType => "nested-rule-without-type",
        Fault::Meaning => "data-meaning-unknown",
        Fault::Date => "date-unreadable",
        Fault::TimeWithoutZone => "time-without-zone",
        Fault::Backwards => "period-backwards",
        Fault::TooDeep => "rules-too-deep",
    }
}

fn fix(place: Place<'_>, fault: Fault) -> Cow<'static, str> {
    match fault {
        Fault::Missing => missing(place),
        Fault::NotA(form) => format!("Write {} here, as FHIR R4 does.", in_words(form)).into(),
        other => said(other).into(),
    }
}

const fn said(fault: Fault) -> &'static str {
    match fault {
        Fault::Modifier => {
            "Say it without `modifierExtension` and `implicitRules`: they may turn the meaning round, so no \
             reader may pass over them."
        }
        Fault::UnknownElement => {
            "Remove or spell right the element in here that FHIR R4 does not have: it may be a limit."
        }
        Fault::Empty => "Leave it out or fill it: it must not be empty.",
        Fault::OnlyExtensions => {
            "Give the element in here that has only extensions its value: extensions are no substitute for it."
        }
        Fault::NoPolicy => "Add `policyRule`, or `policy` with its `uri` (FHIR R4, ppc-1).",
        Fault::RuleType => "Write `permit` or `deny`.",
        Fault::NestedWithoutType => "Give this nested rule its `type`, `permit` or `deny`.",
        Fault::Meaning => "Write `instance`, `related`, `dependents` or `authoredby`.",
        Fault::TimeWithoutZone => "Give the time its zone, such as `Z` or `+01:00`, or leave the time out.",
        Fault::Backwards => "Let the period end after it starts.",
        Fault::TooDeep => "Nest rules at most 10 levels below the root.",
        Fault::Date | Fault::Missing | Fault::NotA(_) => {
            "Write the date as YYYY, YYYY-MM or YYYY-MM-DD, or with a time to the second and its zone."
        }
    }
}

fn missing(place: Place<'_>) -> Cow<'static, str> {
    let name = match place {
        Place::Element(_, name) => name,
        Place::Consent | Place::Item(..) => "element",
    };
    format!("Add `{name}`, without which the rest says nothing certain.").into()
}

const fn in_words(form: Form) -> &'static str {
    match form {
        Form::Object => "an object",
        Form::List => "a list",
        Form::Text => "a text",
        Form::Flag => "`true` or `false`",
        Form::Value => "an object, a list or a text",
    }
}
