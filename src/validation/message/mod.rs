//! A whole referral: one order for one patient, and everything that it names.

use serde_json::Value;

use super::{Rules, capped, size, supports, violations, without_repeats};
use crate::fhir::message_index::{Entry, MessageIndex, contained};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::resource::resource_type;

mod content;
mod envelope;
mod header;
mod order;
mod patient;
mod task;
mod whole;

pub use envelope::MAX_ENTRIES;
pub use header::EVENTS;
pub use order::referral;
pub use whole::{check_outgoing, check_whole};

/// What a referral comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A `transaction` Bundle, or a ServiceRequest with what it needs contained.
    Transaction,
    /// A `message` Bundle.
    Message,
    /// A `collection` Bundle: a Task, its order, and what the two refer to.
    Collection,
}

/// Everything that keeps a message from being a referral that we can take.
///
/// A message is a `transaction` Bundle, or a ServiceRequest with what it needs contained.
/// Where the envelope itself is wrong, only that is reported.
pub fn check_message(message: &Value, rules: &Rules) -> Vec<Issue> {
    check_form(message, Form::Transaction, rules)
}

/// The same for a referral that comes in another form.
pub fn check_form(message: &Value, form: Form, rules: &Rules) -> Vec<Issue> {
    let envelope = match resource_type(message) {
        "Bundle" => envelope::check(message, form),
        "ServiceRequest" if form == Form::Transaction => None,
        _ => Some(unexpected()),
    };
    envelope
        .or_else(|| size::check(message))
        .map_or_else(|| capped(without_repeats(check_content(message, form, rules))), |it| vec![it])
}

fn unexpected() -> Issue {
    let text = "Send a Bundle of type transaction, or a ServiceRequest.";
    Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNEXPECTED", text)
}

fn check_content(message: &Value, form: Form, rules: &Rules) -> Vec<Issue> {
    let index = MessageIndex::of(message);
    let mut issues = Vec::new();
    if resource_type(message) == "Bundle" {
        issues.extend(envelope::check_entries(message, form));
    }
    if form == Form::Message {
        header::check(message, &index, &mut issues);
    }
    if form != Form::Transaction {
        issues.extend(index.of_type("Task").flat_map(task::check));
    }
    issues.extend(index.entries().iter().flat_map(structure));
    issues.extend(content::modifiers(message));
    let order = order::check(message, &index, &mut issues);
    if let Some(order) = order {
        patient::check(&index, order, &mut issues);
    }
    issues.extend(content::references(&index));
    issues.extend(content::targets(&index));
    issues.extend(content::unused(&index));
    issues.extend(content::profiles(&index, rules));
    issues
}

/// The structure of a resource; one whose type we do not take is not looked into.
fn structure(entry: &Entry<'_>) -> Vec<Issue> {
    let sent = resource_type(entry.resource);
    if !sent.is_empty() && !supports(sent) {
        return vec![unsupported(&entry.at)];
    }
    let mut issues = violations(entry.resource, &entry.at);
    let envelopes = contained(entry.resource).enumerate().filter(|(_, it)| resource_type(it) == "Bundle");
    issues.extend(envelopes.map(|(number, _)| unsupported(&format!("{}.contained[{number}]", entry.at))));
    issues
}

fn unsupported(at: &str) -> Issue {
    let text =
        "Leave this resource out: a referral does not take this type; docs/ERRORS.md lists those it takes.";
    Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNSUPPORTED", text).at(at)
}
