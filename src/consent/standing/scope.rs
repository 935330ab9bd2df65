//! What a Consent is about (consent S2, rule 5).

use serde_json::Value;

use super::Standing;
use crate::consent::disclosure::Purpose;
use crate::consent::purpose::is_under;
use crate::fhir::coding::has_coding;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// Privacy counts; research counts for research; treatment and advance directives are not about sharing.
pub fn standing(scope: &Value, purpose: &Purpose) -> Option<Standing> {
    let has = |code| has_coding(scope, SCOPE, code);
    if has("patient-privacy") || (has("research") && is_under(purpose, "HRESCH")) {
        None
    } else if has("treatment") || has("adr") || has("research") {
        Some(Standing::Ignored("consent-scope-other"))
    } else {
        Some(Standing::Doubtful("consent-scope-unknown"))
    }
}

/// Whether it is a scope of FHIR's at all.
pub fn is_known(scope: &Value) -> bool {
    ["patient-privacy", "research", "treatment", "adr"].iter().any(|it| has_coding(scope, SCOPE, it))
}
