//! Invariants of what holds other resources.

use std::collections::HashSet;

use serde_json::Value;

use super::{Invariant, Object, any, has, is, items, rule};

pub(super) const INVARIANTS: &[Invariant] = &[
    rule("dom-4", dom_4, "Leave `versionId` and `lastUpdated` out of a contained resource."),
    rule("dom-5", dom_5, "Put the security label on the resource itself: a contained resource has none."),
    rule(
        "bdl-1",
        |it| !has(it, "total") || is(it, "type", &["searchset", "history"]),
        "Leave `total` out: only a search or a history has one.",
    ),
    rule(
        "bdl-2",
        |it| is(it, "type", &["searchset"]) || none(it, "search"),
        "Leave `entry.search` out: only a search has it.",
    ),
    rule(
        "bdl-3",
        |it| each(it, "request", &["batch", "transaction", "history"]),
        "Send `entry.request` in a batch, transaction or history, and nowhere else.",
    ),
    rule(
        "bdl-4",
        |it| each(it, "response", &["batch-response", "transaction-response", "history"]),
        "Send `entry.response` in a response or history, and nowhere else.",
    ),
    rule("bdl-5", |it| any(it, &["resource", "request", "response"]), "Send the entry's `resource`."),
    rule("bdl-7", bdl_7, "Give each entry a `fullUrl` of its own."),
    rule("bdl-8", bdl_8, "Send a `fullUrl` without `/_history/`."),
    rule(
        "bdl-9",
        |it| !is(it, "type", &["document"]) || bdl_9(it),
        "Send the document's `identifier` with `system` and `value`.",
    ),
    rule(
        "bdl-10",
        |it| !is(it, "type", &["document"]) || has(it, "timestamp"),
        "Send the document's `timestamp`.",
    ),
    rule(
        "bdl-11",
        |it| !is(it, "type", &["document"]) || first_is(it, "Composition"),
        "Send the Composition as the document's first entry.",
    ),
    rule(
        "bdl-12",
        |it| !is(it, "type", &["message"]) || first_is(it, "MessageHeader"),
        "Send the MessageHeader as the message's first entry.",
    ),
    rule(
        "cmp-1",
        |it| any(it, &["text", "entry", "section"]),
        "Send the section's `text`, `entry` or `section`.",
    ),
    rule(
        "cmp-2",
        |it| !has(it, "emptyReason") || !has(it, "entry"),
        "Leave `emptyReason` out of a section with entries.",
    ),
    rule(
        "lst-1",
        |it| !has(it, "emptyReason") || !has(it, "entry"),
        "Leave `emptyReason` out of a list with entries.",
    ),
    rule(
        "lst-2",
        |it| is(it, "mode", &["changes"]) || none(it, "deleted"),
        "Leave `deleted` out: the list's mode is not changes.",
    ),
    rule(
        "lst-3",
        |it| is(it, "mode", &["working"]) || none(it, "date"),
        "Leave the entries' `date` out: the list's mode is not working.",
    ),
];

fn dom_4(contained: &Object) -> bool {
    let meta = contained.get("meta").and_then(Value::as_object);
    meta.is_none_or(|it| !any(it, &["versionId", "lastUpdated"]))
}

fn dom_5(contained: &Object) -> bool {
    let meta = contained.get("meta").and_then(Value::as_object);
    meta.is_none_or(|it| !has(it, "security"))
}

fn none(object: &Object, name: &str) -> bool {
    items(object, "entry").all(|it| it.get(name).is_none())
}

/// Whether every entry has an element exactly if the Bundle is of one of these types.
fn each(bundle: &Object, name: &str, types: &[&str]) -> bool {
    let wanted = is(bundle, "type", types);
    items(bundle, "entry").all(|it| it.get(name).is_some() == wanted)
}

fn bdl_7(bundle: &Object) -> bool {
    let mut seen = HashSet::new();
    let mut named = items(bundle, "entry").filter(|it| it["fullUrl"].is_string());
    is(bundle, "type", &["history"])
        || named.all(|it| seen.insert((it["fullUrl"].as_str(), it["resource"]["meta"]["versionId"].as_str())))
}

fn bdl_8(entry: &Object) -> bool {
    entry.get("fullUrl").and_then(Value::as_str).is_none_or(|it| !it.contains("/_history/"))
}

fn bdl_9(bundle: &Object) -> bool {
    let identifier = bundle.get("identifier");
    identifier.is_some_and(|it| it["system"].is_string() && it["value"].is_string())
}

fn first_is(bundle: &Object, resource_type: &str) -> bool {
    items(bundle, "entry").next().is_some_and(|it| it["resource"]["resourceType"] == resource_type)
}
