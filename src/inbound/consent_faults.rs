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
    for (number, answer) in items_mut(&mut response, "entry").enumerate() {
        let issues = faults(submission, number, zone);
        if !issues.is_empty() {
            answer["response"]["outcome"] = json!(operation_outcome(&issues, None));
        }
    }
    response
}

/// The same for the whole of a submission.
pub fn warnings(submission: &Submission<'_>, zone: &TimeZone) -> Vec<Issue> {
    (0..submission.parts().len()).flat_map(|number| faults(submission, number, zone)).collect()
}

fn faults(submission: &Submission<'_>, number: usize, zone: &TimeZone) -> Vec<Issue> {
    let consent = submission.parts().get(number).filter(|it| it.resource_type() == "Consent");
    let findings = consent.map(|it| only_holds(it.resource, Home::Bundle, zone)).unwrap_or_default();
    findings.into_iter().map(|it| issue(&it, &submission.place(number))).collect()
}

fn issue(finding: &Finding, place: &str) -> Issue {
    let place = finding.element.replacen("Consent", place, 1);
    Issue::warning(IssueKind::BusinessRule, "SEND_CONSENT_ONLY_HOLDS", finding.fix.clone()).at(place)
}
