//! The one ServiceRequest that the message is about, and whether it can be acted on.

use serde_json::Value;

use crate::fhir::message_index::{Entry, MessageIndex};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::resource::resource_type;
use crate::validation::violation::element_missing;

/// Codes of request-status that are known and not an order to act on (FHIR R4, ServiceRequest.status).
const IDLE_STATUSES: [&str; 6] = ["draft", "on-hold", "revoked", "completed", "entered-in-error", "unknown"];

/// Codes of request-intent that ask for nothing, or are a filler's own (FHIR R4, ServiceRequest.intent).
const IDLE_INTENTS: [&str; 5] = ["proposal", "plan", "option", "filler-order", "instance-order"];

/// The ServiceRequest of a message: the one that a Task names, or else the first one.
pub fn referral<'i, 'm>(index: &'i MessageIndex<'m>) -> Option<&'i Entry<'m>> {
    let orders: Vec<&Entry<'m>> = index.of_type("ServiceRequest").collect();
    let named: Vec<&&Entry<'m>> = orders.iter().filter(|it| is_named(index, it)).collect();
    if let [one] = named.as_slice() { Some(one) } else { orders.first().copied() }
}

/// Finds the referral and says what is wrong with it.
pub(super) fn check<'i, 'm>(
    message: &Value,
    index: &'i MessageIndex<'m>,
    issues: &mut Vec<Issue>,
) -> Option<&'i Entry<'m>> {
    let Some(order) = referral(index) else {
        let text = "Send the ServiceRequest that the referral is.";
        let at = format!("{}.entry", resource_type(message));
        issues.push(Issue::error(IssueKind::Required, "SEND_SERVICE_REQUEST_MISSING", text).at(at));
        return None;
    };
    let others = index.of_type("ServiceRequest").filter(|it| it.at != order.at);
    issues.extend(others.map(|it| several(&it.at)));
    issues.extend(actionable(order.resource, &order.at));
    if order.resource["code"].is_null() {
        // FHIR R4 leaves it open; US Core ServiceRequest requires it, and nobody can schedule without.
        issues.push(element_missing(&format!("{}.code", order.at)));
    }
    Some(order)
}

fn is_named(index: &MessageIndex<'_>, order: &Entry<'_>) -> bool {
    index.of_type("Task").any(|task| {
        let based_on = task.resource["basedOn"].as_array().into_iter().flatten();
        let mut references =
            based_on.chain([&task.resource["focus"]]).filter_map(|it| it["reference"].as_str());
        references.any(|it| index.resolve(it, task).is_some_and(|it| std::ptr::eq(it, order.resource)))
    })
}

fn several(at: &str) -> Issue {
    let text = "Send one referral per transaction: this ServiceRequest is one too many.";
    Issue::error(IssueKind::Invariant, "SEND_SERVICE_REQUEST_SEVERAL", text).at(at)
}

fn actionable(order: &Value, at: &str) -> Vec<Issue> {
    let mut issues = Vec::new();
    if is_one_of(&order["status"], &IDLE_STATUSES) {
        issues.push(not_actionable(at, "status", "Send a referral whose `status` is active."));
    }
    if is_one_of(&order["intent"], &IDLE_INTENTS) {
        issues.push(not_actionable(at, "intent", "Send a referral whose `intent` is order."));
    }
    if order["doNotPerform"] == true {
        issues.push(not_actionable(
            at,
            "doNotPerform",
            "Send a referral that asks for something to be done.",
        ));
    }
    issues
}

fn is_one_of(code: &Value, codes: &[&str]) -> bool {
    code.as_str().is_some_and(|it| codes.contains(&it))
}

fn not_actionable(at: &str, element: &str, text: &str) -> Issue {
    Issue::error(IssueKind::Value, "SEND_REFERRAL_NOT_ACTIONABLE", text).at(format!("{at}.{element}"))
}
