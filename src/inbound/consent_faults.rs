//! Consents of a referral that can only hold: the referral is taken all the same, and the answer to that entry
//! says what to change. Its sender is who can mend it, and would otherwise hear nothing: no update comes back.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::consent::lint::{Finding, Home, only_holds};
use crate::fhir::outcome::{Issue, IssueKind, operation_outcome};
use crate::fhir::reference;
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
    let Some(part) = submission.parts().get(number).filter(|it| it.resource_type() == "Consent") else {
        return Vec::new();
    };
    let place = submission.place(number);
    let findings = if place.contains(".contained[") {
        only_holds(&as_entry(part.resource), Home::Bundle, zone)
    } else {
        only_holds(part.resource, Home::Bundle, zone)
    };
    findings.into_iter().map(|it| issue(&it, &place)).collect()
}

/// The Consent with references as an entry of a Bundle has them: what it is contained with has an address then.
fn as_entry(consent: &Value) -> Value {
    let mut consent = consent.clone();
    reference::for_each_mut(&mut consent, &mut |it| {
        if it["reference"].as_str().is_some_and(|it| it.starts_with('#') && it.len() > 1) {
            it["reference"] = json!("urn:uuid:00000000-0000-4000-8000-000000000000");
        }
    });
    consent
}

fn issue(finding: &Finding, place: &str) -> Issue {
    let place = finding.element.replacen("Consent", place, 1);
    Issue::warning(IssueKind::BusinessRule, "SEND_CONSENT_ONLY_HOLDS", finding.fix.clone()).at(place)
}
