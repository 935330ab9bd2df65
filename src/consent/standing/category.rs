//! What kind of form a Consent is (consent S2, rules 6 and 8).

use serde_json::Value;

use super::Standing;
use crate::consent::disclosure::Purpose;
use crate::consent::labels::sensitivity::ACT_CODE;
use crate::consent::purpose::is_under;
use crate::fhir::coding::codings;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/consentcategorycodes";
const LOINC: &str = "http://loinc.org";

/// Advance directives are not about sharing.
pub fn ignored(consent: &Value) -> Option<Standing> {
    let directive =
        |system: &str, code: &str| system == CATEGORY && matches!(code, "acd" | "dnr" | "polst" | "hcd");
    all(consent, directive).then_some(Standing::Ignored("consent-is-a-care-directive"))
}

/// Who acknowledges a notice permits nothing by it; and a Consent for emergencies permits only in one.
pub fn denies_only(consent: &Value, purpose: &Purpose) -> Option<Standing> {
    let notice = |system: &str, code: &str| {
        (system == CATEGORY && code == "npp") || (system == LOINC && code == "57016-8")
    };
    if all(consent, notice) {
        return Some(Standing::DeniesOnly("consent-is-a-notice"));
    }
    let emergency =
        || all_codings(consent).any(|it| matches!(it, (CATEGORY, "emrgonly") | (ACT_CODE, "EMRGONLY")));
    (!is_under(purpose, "ETREAT") && emergency()).then_some(Standing::DeniesOnly("consent-for-emergencies"))
}

fn all(consent: &Value, wanted: impl Fn(&str, &str) -> bool) -> bool {
    let mut codings = all_codings(consent).peekable();
    codings.peek().is_some() && codings.all(|(system, code)| wanted(system, code))
}

fn all_codings(consent: &Value) -> impl Iterator<Item = (&str, &str)> {
    let categories = consent["category"].as_array().into_iter().flatten();
    categories
        .flat_map(codings)
        .map(|it| (it["system"].as_str().unwrap_or_default(), it["code"].as_str().unwrap_or_default()))
}
