//! Consents of a referral that can only hold: the referral is taken all the same, and the answer to that entry
//! says what to change. Its sender is who can mend it, and would otherwise hear nothing: no update comes back.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::consent::lint::{Finding, Home, only_holds};
use crate::fhir::outcome::{Issue, IssueKind, operation_outcome};
use crate::fhir::resource::items_mut;
use crate::translation::submission::Submission;

/// Adds `response.outcome` to the entries that answer such Consents (FHIR R4, Bundle.entry.response).
pub(super) fn with_consent_faults(
    mut response: Value,
    submission: &Submission<'_>,
    zone: &TimeZone,
) -> Value {
    let answers = items_mut(&mut response, "entry").enumerate();
    for ((number, answer), part) in answers.zip(submission.parts()) {
        if part.resource_type() != "Consent" {
            continue;
        }
        let findings = only_holds(part.resource, Home::Bundle, zone);
        if !findings.is_empty() {
            let issues: Vec<Issue> = findings.into_iter().map(|it| issue(it, number)).collect();
            answer["response"]["outcome"] = json!(operation_outcome(&issues, None));
        }
    }
    response
}

fn issue(finding: Finding, entry: usize) -> Issue {
    let place = finding.element.replacen("Consent", &format!("Bundle.entry[{entry}].resource"), 1);
    Issue::warning(IssueKind::BusinessRule, "SEND_CONSENT_ONLY_HOLDS", finding.fix).at(place)
}
