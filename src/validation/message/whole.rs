//! A message as a whole: the Bundle, its header, and every resource in it.

use serde_json::Value;

use super::envelope;
use super::{Form, capped, size, violations, without_repeats};
use crate::fhir::bundle::{self, entries};
use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{self, Target, target};
use crate::fhir::resource::id;
use crate::validation::check_resource;
use crate::validation::violation::element_missing;

const AT: &str = "Bundle.entry[0].resource";

/// Everything that keeps a message of ours from being a good one: it holds together, and has the ids that a reply and a
/// repeat are known by.
pub fn check_outgoing(message: &Value) -> Vec<Issue> {
    let mut issues = check_whole(message);
    let header = bundle::header(message).map(|it| (it, "Bundle.entry[0].resource.id"));
    for (resource, at) in [(message, "Bundle.id")].into_iter().chain(header) {
        if id(resource).is_empty() {
            issues.push(element_missing(at));
        }
    }
    issues
}

/// Everything that keeps a message from holding together, whatever it is about: structure, a header in front, and
/// references that lead to a resource of the message wherever they look like it.
///
/// Source: FHIR R4, messaging and Bundle (bdl-12, resolving references).
pub fn check_whole(message: &Value) -> Vec<Issue> {
    if let Some(issue) = envelope::check(message, Form::Message).or_else(|| size::check(message)) {
        return vec![issue];
    }
    let mut issues = envelope::check_entries(message, Form::Message);
    let Some(header) = bundle::header(message) else {
        let text = "Send the MessageHeader as the first entry of the Bundle.";
        issues.push(Issue::error(IssueKind::Required, "SEND_MESSAGE_HEADER_MISSING", text).at(AT));
        return issues;
    };
    issues.extend(violations(header, AT));
    let index = MessageIndex::of(message);
    for entry in index.entries() {
        issues.extend(check_resource(entry.resource, &entry.at));
    }
    let front =
        Entry { at: AT.to_owned(), full_url: entries(message).next().and_then(url), resource: header };
    for entry in std::iter::once(&front).chain(index.entries()) {
        issues.extend(dangling(entry, &index));
    }
    capped(without_repeats(issues))
}

fn url(entry: &Value) -> Option<&str> {
    entry["fullUrl"].as_str()
}

/// Addresses that were made for the message and lead nowhere in it.
fn dangling(entry: &Entry<'_>, index: &MessageIndex<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    reference::for_each(entry.resource, &entry.at, &mut |at, it| {
        let text = it["reference"].as_str().unwrap_or_default();
        if matches!(target(text), Target::Urn(_)) && index.resolve(text, entry).is_none() {
            let text = "Send what it refers to.";
            issues.push(Issue::error(IssueKind::Value, "SEND_REFERENCE_UNRESOLVED", text).at(at));
        }
    });
    issues
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> Value {
        json!({ "resourceType": "Bundle", "id": "b", "type": "message", "entry": [
            { "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": {
                "resourceType": "MessageHeader", "id": "h", "eventCoding": { "system": "urn:e", "code": "e" },
                "source": { "endpoint": "https://us.example/fhir" },
                "focus": [{ "reference": "urn:uuid:00000000-0000-4000-8000-000000000002" }],
            } },
            { "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002", "resource": {
                "resourceType": "Task", "status": "accepted", "intent": "order",
            } },
        ] })
    }

    fn places(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut message = message();
        change(&mut message);
        check_outgoing(&message).iter().flat_map(|it| it.expression.clone()).collect()
    }

    #[test]
    fn a_message_that_holds_together_may_go() {
        assert_eq!(check_outgoing(&message()), []);
    }

    #[test]
    fn envelope_header_and_resources_are_all_looked_at() {
        assert_eq!(places(|it| it["type"] = json!("batch")), ["Bundle.type"]);
        assert_eq!(places(|it| it["entry"].as_array_mut().unwrap().reverse()), [AT]);
        let without_id = places(|it| drop(it.as_object_mut().unwrap().remove("id")));
        assert_eq!(without_id, ["Bundle.id"]);
        let source =
            |it: &mut Value| drop(it["entry"][0]["resource"].as_object_mut().unwrap().remove("source"));
        assert_eq!(places(source), ["Bundle.entry[0].resource.source"]);
        let status = |it: &mut Value| it["entry"][1]["resource"]["status"] = json!("perhaps");
        assert_eq!(places(status), ["Bundle.entry[1].resource.status"]);
        let twice = |it: &mut Value| it["entry"][1]["fullUrl"] = it["entry"][0]["fullUrl"].clone();
        assert!(places(twice).contains(&"Bundle.entry[1].fullUrl".to_owned()));
    }

    #[test]
    fn an_address_of_the_message_leads_to_something_in_it() {
        let lost = json!("urn:uuid:00000000-0000-4000-8000-000000000009");
        let focus = |it: &mut Value| it["entry"][0]["resource"]["focus"][0]["reference"] = lost.clone();
        assert_eq!(places(focus), ["Bundle.entry[0].resource.focus[0]"]);
        let elsewhere = json!("https://ehr.example/fhir/Task/7");
        let named = |it: &mut Value| it["entry"][0]["resource"]["focus"][0]["reference"] = elsewhere.clone();
        assert_eq!(places(named), [""; 0]);
    }
}
