//! What one Consent says about one disclosure.

use serde_json::Value;

use super::disclosure::Disclosure;
use super::patient::{Whose, whose};
use super::period::{Truth, contains};
use crate::fhir::coding::{codings, has_coding};
use crate::fhir::resource;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/consentcategorycodes";

/// Purposes under treatment, payment and operations, for which an opt-in is given (consent S3).
const CARE_PURPOSES: [&str; 7] = ["TREAT", "ETREAT", "COC", "HPAYMT", "HOPERAT", "CAREMGT", "BTG"];

/// The elements of a Consent that this engine understands. Another element may limit it in a way that we
/// would miss (consent S2, rule 4).
const UNDERSTOOD: [&str; 18] = [
    "resourceType",
    "id",
    "meta",
    "language",
    "text",
    "extension",
    "identifier",
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "sourceAttachment",
    "sourceReference",
    "policy",
    "policyRule",
    "provision",
];
const UNDERSTOOD_IN_PROVISION: [&str; 4] = ["id", "extension", "type", "period"];

/// One Consent's answer, with the rule that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It certainly forbids.
    Deny(&'static str),
    /// It may forbid: it is not understood, or not certain.
    Doubt(&'static str),
    /// It certainly permits.
    Permit(&'static str),
    /// It does not speak to this.
    Silent,
}

impl Answer {
    /// The rule of a denial.
    pub const fn denial(&self) -> Option<&'static str> {
        if let Self::Deny(rule) = self { Some(*rule) } else { None }
    }

    /// The rule of a doubt.
    pub const fn doubt(&self) -> Option<&'static str> {
        if let Self::Doubt(rule) = self { Some(*rule) } else { None }
    }

    /// The rule of a permission.
    pub const fn permission(&self) -> Option<&'static str> {
        if let Self::Permit(rule) = self { Some(*rule) } else { None }
    }
}

/// What a Consent says (consent S2 and S3, in their order).
pub fn answer(consent: &Value, disclosure: &Disclosure<'_>) -> Answer {
    counts(consent, disclosure).unwrap_or_else(|| rule_of(consent, disclosure))
}

/// Some: the Consent does not count, or is not understood.
fn counts(consent: &Value, disclosure: &Disclosure<'_>) -> Option<Answer> {
    if resource::resource_type(consent) != "Consent" {
        return Some(Answer::Doubt("not-a-consent"));
    }
    match consent["status"].as_str() {
        Some("active") => {}
        Some("draft" | "proposed" | "rejected" | "inactive" | "entered-in-error") => {
            return Some(Answer::Silent);
        }
        _ => return Some(Answer::Doubt("consent-status-unknown")),
    }
    match whose(&consent["patient"], disclosure.patient) {
        Whose::This => {}
        Whose::Another => return Some(Answer::Silent),
        Whose::Unclear => return Some(Answer::Doubt("consent-patient-unclear")),
    }
    if !is_understood(consent) {
        return Some(Answer::Doubt("consent-says-more"));
    }
    scope(consent).or_else(|| category(consent)).or_else(|| period(consent, disclosure))
}

fn is_understood(consent: &Value) -> bool {
    let known = |value: &Value, names: &[&str]| match value {
        Value::Object(map) => map.keys().all(|key| names.contains(&key.trim_start_matches('_'))),
        Value::Null => true,
        _ => false,
    };
    known(consent, &UNDERSTOOD)
        && known(&consent["provision"], &UNDERSTOOD_IN_PROVISION)
        && consent.get("provision").is_none_or(Value::is_object)
        && consent["category"].as_array().is_some_and(|list| !list.is_empty())
        && (consent["policyRule"].is_object() || consent["policy"].is_array())
}

fn scope(consent: &Value) -> Option<Answer> {
    let has = |code| has_coding(&consent["scope"], SCOPE, code);
    if has("patient-privacy") {
        None
    } else if has("treatment") || has("adr") || has("research") {
        Some(Answer::Silent)
    } else {
        Some(Answer::Doubt("consent-scope-unknown"))
    }
}

/// Advance directives are not about disclosure; consents for emergencies only are more than we understand.
fn category(consent: &Value) -> Option<Answer> {
    let categories = consent["category"].as_array()?;
    let mut all = categories.iter().flat_map(codings).peekable();
    all.peek()?;
    let codes: Vec<&str> = all.filter_map(|it| it["code"].as_str()).collect();
    if codes.iter().all(|code| matches!(*code, "acd" | "dnr" | "polst" | "hcd")) {
        return Some(Answer::Silent);
    }
    let special =
        |it: &Value| has_coding(it, CATEGORY, "npp") || has_coding(it, "http://loinc.org", "57016-8");
    let emergency = codes.iter().any(|code| code.eq_ignore_ascii_case("emrgonly"));
    (emergency || categories.iter().any(special)).then_some(Answer::Doubt("consent-category-special"))
}

fn period(consent: &Value, disclosure: &Disclosure<'_>) -> Option<Answer> {
    match contains(&consent["provision"]["period"], disclosure.now, disclosure.time_zone) {
        Truth::True => None,
        Truth::False => Some(Answer::Silent),
        Truth::Unknown => Some(Answer::Doubt("consent-period-unclear")),
    }
}

fn rule_of(consent: &Value, disclosure: &Disclosure<'_>) -> Answer {
    let answer = match consent["provision"]["type"].as_str() {
        Some("permit") => Answer::Permit("provision-permit"),
        Some("deny") => Answer::Deny("provision-deny"),
        Some(_) => Answer::Doubt("provision-type-unknown"),
        None => by_policy_rule(&consent["policyRule"], disclosure.purpose),
    };
    match answer {
        Answer::Permit(_) if begins_later(consent, disclosure) => Answer::Doubt("consent-date-unclear"),
        other => other,
    }
}

fn by_policy_rule(policy_rule: &Value, purpose: &str) -> Answer {
    let has = |code| has_coding(policy_rule, ACT_CODE, code);
    if has("OPTOUT") || has("OPTOUTE") {
        Answer::Deny("policy-opt-out")
    } else if (has("OPTIN") || has("OPTINR")) && CARE_PURPOSES.contains(&purpose) {
        Answer::Permit("policy-opt-in")
    } else {
        Answer::Doubt("policy-unknown")
    }
}

/// A Consent that is dated in the future permits nothing yet; it is no reason to overlook a denial either.
fn begins_later(consent: &Value, disclosure: &Disclosure<'_>) -> bool {
    let Some(date) = consent.get("dateTime") else {
        return false;
    };
    let since = serde_json::json!({ "start": date });
    contains(&since, disclosure.now, disclosure.time_zone) != Truth::True
}
