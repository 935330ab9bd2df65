//! Invariants of people, orders and appointments.

use super::compare::may_precede_by_other_clock;
use super::{Invariant, Object, any, has, is, items, rule};

pub(super) const INVARIANTS: &[Invariant] = &[
    rule(
        "pat-1",
        |it| any(it, &["name", "telecom", "address", "organization"]),
        "Send the contact's `name`, `telecom`, `address` or `organization`.",
    ),
    rule("org-1", |it| any(it, &["identifier", "name"]), "Send the organization's `name` or `identifier`."),
    rule(
        "org-2",
        |it| !is(it, "use", &["home"]),
        "Send an address of an organization with another `use` than home.",
    ),
    rule(
        "org-3",
        |it| !is(it, "use", &["home"]),
        "Send a telecom of an organization with another `use` than home.",
    ),
    rule("prr-1", |it| !has(it, "orderDetail") || has(it, "code"), "Send `code` with `orderDetail`."),
    rule("inv-1", inv_1, "Send a `lastModified` that is not before `authoredOn`."),
    rule("app-1", |it| any(it, &["type", "actor"]), "Send the participant's `type` or `actor`."),
    rule("app-2", |it| has(it, "start") == has(it, "end"), "Send `start` and `end`, or neither."),
    rule(
        "app-3",
        app_3,
        "Send `start` and `end`: only a proposed, cancelled or waitlisted appointment has none.",
    ),
    rule("app-4", app_4, "Leave `cancelationReason` out: the appointment is neither cancelled nor missed."),
    rule(
        "cpl-3",
        |it| !has(it, "detail") || !has(it, "reference"),
        "Send the activity's `reference` or `detail`, not both.",
    ),
    rule("ppc-1", |it| any(it, &["policy", "policyRule"]), "Send `policy` or `policyRule`."),
    rule(
        "grp-1",
        |it| !has(it, "member") || it.get("actual") == Some(&true.into()),
        "Leave `member` out of a group that is not actual.",
    ),
    rule("rqg-1", |it| has(it, "resource") != has(it, "action"), "Send `resource` or `action`, not both."),
    rule("sev-1", |it| !has(it, "name") || !has(it, "query"), "Send `name` or `query`, not both."),
    rule(
        "que-3",
        |it| !is(it, "type", &["display"]) || !has(it, "code"),
        "Leave `code` out of a display item.",
    ),
    rule(
        "que-4",
        |it| !has(it, "answerOption") || !has(it, "answerValueSet"),
        "Send `answerOption` or `answerValueSet`, not both.",
    ),
    rule(
        "que-6",
        |it| !is(it, "type", &["display"]) || !any(it, &["required", "repeats"]),
        "Leave `required` and `repeats` out of a display item.",
    ),
    rule(
        "que-8",
        |it| !is(it, "type", &["group", "display"]) || !has(it, "initial"),
        "Leave `initial` out of a group or display item.",
    ),
    rule(
        "que-9",
        |it| !is(it, "type", &["display"]) || !has(it, "readOnly"),
        "Leave `readOnly` out of a display item.",
    ),
    rule(
        "que-11",
        |it| !has(it, "answerOption") || !has(it, "initial"),
        "Mark the initial answer among `answerOption`; leave `initial` out.",
    ),
    rule(
        "que-12",
        |it| items(it, "enableWhen").count() <= 2 || has(it, "enableBehavior"),
        "Send `enableBehavior` with several `enableWhen`.",
    ),
    rule(
        "que-13",
        |it| it.get("repeats") == Some(&true.into()) || items(it, "initial").count() <= 1,
        "Send one `initial` for an item that does not repeat.",
    ),
];

/// Who changes a Task is seldom who wrote it.
fn inv_1(task: &Object) -> bool {
    may_precede_by_other_clock(task.get("authoredOn"), task.get("lastModified"))
}

fn app_3(appointment: &Object) -> bool {
    has(appointment, "start") && has(appointment, "end")
        || is(appointment, "status", &["proposed", "cancelled", "waitlist"])
}

fn app_4(appointment: &Object) -> bool {
    !has(appointment, "cancelationReason") || is(appointment, "status", &["noshow", "cancelled"])
}
