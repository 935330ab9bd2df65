//! The header of a message: what happened, and to what (FHIR R4, messaging).

use serde_json::Value;

use crate::fhir::bundle;
use crate::fhir::message::Received;
use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::resource::resource_type;
use crate::validation::violations;

/// The events that say that there is a new referral: Clinical Order Workflows, Bidirectional Services eReferral,
/// and the NHS Booking and Referral Standard.
pub const EVENTS: [(&str, &str); 3] = [
    ("http://hl7.org/fhir/uv/cow/CodeSystem/temp", "new-order"),
    ("http://terminology.hl7.org/CodeSystem/v2-0003", "I12"),
    ("https://fhir.nhs.uk/CodeSystem/message-events-bars", "servicerequest-request"),
];

/// Reasons that make a message one about a referral that is known (NHS BaRS, message-reason-bars).
const LATER_REASONS: [&str; 2] = ["update", "delete"];

const AT: &str = "Bundle.entry[0].resource";

pub(super) fn check(message: &Value, index: &MessageIndex<'_>, issues: &mut Vec<Issue>) {
    let Some(header) = bundle::header(message) else {
        let text = "Send the MessageHeader as the first entry of the Bundle.";
        issues.push(
            Issue::error(IssueKind::Required, "SEND_MESSAGE_HEADER_MISSING", text).at("Bundle.entry[0]"),
        );
        return;
    };
    issues.extend(violations(header, AT));
    if Received::of(message).is_none() {
        let text = "Send the MessageHeader, or the Bundle, with an `id`: the reply quotes it.";
        let issue = Issue::error(IssueKind::Required, "SEND_MESSAGE_ID", text);
        issues.push(issue.at(format!("{AT}.id")));
    }
    if !is_new_referral(header) {
        let text = "Send an event that this gateway takes as a new referral; docs/ERRORS.md lists them.";
        let issue = Issue::error(IssueKind::NotSupported, "SEND_MESSAGE_EVENT", text);
        issues.push(issue.at(format!("{AT}.event")));
    }
    if !names_referral(message, header, index) {
        let text = "Refer in `focus` to the Task or the ServiceRequest of the same message.";
        let issue = Issue::error(IssueKind::Value, "SEND_MESSAGE_FOCUS", text);
        issues.push(issue.at(format!("{AT}.focus")));
    }
}

fn is_new_referral(header: &Value) -> bool {
    let event = &header["eventCoding"];
    let known = EVENTS.iter().any(|(system, code)| event["system"] == *system && event["code"] == *code);
    let reasons = header["reason"]["coding"].as_array().into_iter().flatten();
    let is_later = |it: &Value| it["code"].as_str().is_some_and(|it| LATER_REASONS.contains(&it));
    known && header["response"].is_null() && !reasons.into_iter().any(is_later)
}

fn names_referral(message: &Value, header: &Value, index: &MessageIndex<'_>) -> bool {
    let full_url = message["entry"][0]["fullUrl"].as_str();
    let entry = Entry { at: AT.to_owned(), full_url, resource: header };
    let focus = header["focus"].as_array().into_iter().flatten().filter_map(|it| it["reference"].as_str());
    let mut named = focus.filter_map(|it| index.resolve(it, &entry)).map(resource_type);
    named.any(|it| matches!(it, "Task" | "ServiceRequest"))
}
