//! The Task by which a referral is asked for: is it one to begin with?

use serde_json::Value;

use crate::fhir::coding::codings;
use crate::fhir::message_index::Entry;
use crate::fhir::outcome::{Issue, IssueKind};

/// HL7's codes for Tasks (FHIR R4, code system task-code).
const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";

/// The states of a Task at which nobody has begun (FHIR R4, Task.status).
const OPEN: [&str; 3] = ["requested", "ready", "received"];

pub(super) fn check(task: &Entry<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let asks_for_something_else = |it: &Value| it["system"] == TASK_CODE && it["code"] != "fulfill";
    if codings(&task.resource["code"]).any(asks_for_something_else) {
        let text = "Send a Task whose `code` is fulfill: that is how a new referral is asked for.";
        issues.push(not_actionable(task, "code", text));
    }
    if task.resource["status"].as_str().is_some_and(|it| !OPEN.contains(&it)) {
        issues.push(not_actionable(task, "status", "Send a Task whose `status` is requested."));
    }
    issues
}

fn not_actionable(task: &Entry<'_>, element: &str, text: &str) -> Issue {
    Issue::error(IssueKind::Value, "SEND_TASK_NOT_ACTIONABLE", text).at(format!("{}.{element}", task.at))
}
