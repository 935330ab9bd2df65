//! What a Consent says before its provisions do (consent S3).

use serde_json::Value;

use super::disclosure::Purpose;
use super::labels::sensitivity::ACT_CODE;
use super::purpose::{is_for_care, is_under};
use crate::fhir::coding::{codings, has_coding};
use crate::fhir::resource::element;

/// The base policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// What is not excepted is permitted.
    Permit(&'static str),
    /// It permits, but not for this purpose.
    PermitForOthers,
    /// What is not excepted is denied.
    Deny(&'static str),
    /// None that is computable: the provisions speak alone.
    None,
}

/// Reads `policyRule`. An opt-in is given for treatment, payment and operations.
pub fn base(consent: &Value, purpose: &Purpose) -> Base {
    let Some(policy) = element(consent, "policyRule") else {
        return Base::None;
    };
    let has = |code| has_coding(policy, ACT_CODE, code);
    if has("OPTOUT") || has("OPTOUTE") {
        Base::Deny("policy-opt-out")
    } else if has("EMRGONLY") {
        if is_under(purpose, "ETREAT") {
            Base::Permit("policy-emergency-only")
        } else {
            Base::Deny("policy-emergency-only")
        }
    } else if has("OPTIN") || has("OPTINR") {
        if is_for_care(purpose) { Base::Permit("policy-opt-in") } else { Base::PermitForOthers }
    } else {
        Base::None
    }
}

/// Whether the policy is a consent form under 42 CFR Part 2, which names substance use by itself.
pub fn is_part_2_form(consent: &Value) -> bool {
    codings(&consent["policyRule"]).any(|it| {
        matches!(
            (it["system"].as_str(), it["code"].as_str()),
            (Some(ACT_CODE), Some("42CFRPart2" | "42CFRPart2CD"))
                | (Some("http://terminology.hl7.org/CodeSystem/consentpolicycodes"), Some("mdhhs-5515"))
        )
    })
}
