//! What a Consent says before its provisions do (consent S3).

use serde_json::Value;

use super::disclosure::Purpose;
use super::labels::sensitivity::ACT_CODE;
use super::purpose::{is_for_care, is_under};
use crate::fhir::coding::codings;

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
    let rules = codings(&consent["policyRule"]).filter(|it| it["system"] == ACT_CODE);
    let read = rules.filter_map(|it| of_code(it["code"].as_str()?, purpose));
    // Of several, the one that permits least.
    read.max_by_key(|(strength, _)| *strength).map_or(Base::None, |(_, base)| base)
}

/// What one code means, and how strong it is beside others.
fn of_code(code: &str, purpose: &Purpose) -> Option<(u8, Base)> {
    match code {
        "OPTOUT" | "OPTOUTE" => Some((3, Base::Deny("policy-opt-out"))),
        "EMRGONLY" if is_under(purpose, "ETREAT") => Some((2, Base::Permit("policy-emergency-only"))),
        "EMRGONLY" => Some((2, Base::Deny("policy-emergency-only"))),
        "OPTIN" | "OPTINR" if is_for_care(purpose) => Some((1, Base::Permit("policy-opt-in"))),
        "OPTIN" | "OPTINR" => Some((1, Base::PermitForOthers)),
        _ => None,
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
