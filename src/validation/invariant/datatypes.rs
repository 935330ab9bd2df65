//! Invariants of data types.

use super::compare::{may_be_amount, may_be_below, may_precede};
use super::{Invariant, Object, any, has, has_choice, items, rule};

pub(super) const INVARIANTS: &[Invariant] = &[
    rule("ext-1", ext_1, "Give the extension a value or extensions of its own, not both."),
    rule("att-1", att_1, "Send `contentType` with the attachment's `data`."),
    rule("cpt-2", cpt_2, "Send `system` with the `value`: phone, email, fax, …."),
    rule("qty-3", qty_3, "Send the `system` of the unit's `code`, such as http://unitsofmeasure.org."),
    rule("sqty-1", sqty_1, "Leave `comparator` out: this quantity is exact."),
    rule("rng-2", rng_2, "Send `low` not above `high`."),
    rule("rat-1", rat_1, "Send `numerator` and `denominator`, or neither."),
    rule("per-1", per_1, "Send a `start` that is not after `end`."),
    rule("exp-1", exp_1, "Send an `expression` or a `reference`."),
    rule("txt-1", txt_1, "Send the narrative in basic XHTML: no scripts, forms or styles from elsewhere."),
    rule("txt-2", txt_2, "Leave the narrative out or write something in it."),
    rule(
        "tim-1",
        |it| !has(it, "duration") || has(it, "durationUnit"),
        "Send `durationUnit` with `duration`.",
    ),
    rule("tim-2", |it| !has(it, "period") || has(it, "periodUnit"), "Send `periodUnit` with `period`."),
    rule("tim-4", |it| may_be_amount(it.get("duration")), "Send a `duration` that is not negative."),
    rule("tim-5", |it| may_be_amount(it.get("period")), "Send a `period` that is not negative."),
    rule("tim-6", |it| !has(it, "periodMax") || has(it, "period"), "Send `period` with `periodMax`."),
    rule("tim-7", |it| !has(it, "durationMax") || has(it, "duration"), "Send `duration` with `durationMax`."),
    rule("tim-8", |it| !has(it, "countMax") || has(it, "count"), "Send `count` with `countMax`."),
    rule("tim-9", tim_9, "Send `offset` with a `when` that is no meal itself."),
    rule("tim-10", |it| !has(it, "timeOfDay") || !has(it, "when"), "Send `timeOfDay` or `when`, not both."),
];

fn ext_1(extension: &Object) -> bool {
    has(extension, "extension") != has_choice(extension, "value")
}

fn att_1(attachment: &Object) -> bool {
    !has(attachment, "data") || has(attachment, "contentType")
}

fn cpt_2(contact: &Object) -> bool {
    !has(contact, "value") || has(contact, "system")
}

fn qty_3(quantity: &Object) -> bool {
    !has(quantity, "code") || has(quantity, "system")
}

fn sqty_1(quantity: &Object) -> bool {
    !has(quantity, "comparator")
}

fn rng_2(range: &Object) -> bool {
    match (range.get("low"), range.get("high")) {
        // Values in different units cannot be compared.
        (Some(low), Some(high)) if low["unit"] == high["unit"] && low["code"] == high["code"] => {
            may_be_below(&low["value"], &high["value"])
        }
        _ => true,
    }
}

fn rat_1(ratio: &Object) -> bool {
    has(ratio, "numerator") == has(ratio, "denominator") && any(ratio, &["numerator", "extension"])
}

fn per_1(period: &Object) -> bool {
    may_precede(period.get("start"), period.get("end"))
}

fn exp_1(expression: &Object) -> bool {
    any(expression, &["expression", "reference"])
}

/// Elements that are no basic formatting (FHIR R4, narrative, txt-1).
const ACTIVE: [&str; 12] = [
    "<script", "<style", "<form", "<input", "<iframe", "<frame", "<object", "<embed", "<link", "<base",
    "<meta", "<head",
];

fn txt_1(narrative: &Object) -> bool {
    let Some(div) = narrative.get("div").and_then(serde_json::Value::as_str) else {
        return true;
    };
    let lower = div.to_ascii_lowercase();
    lower.trim_start().starts_with("<div")
        && !ACTIVE.iter().any(|it| lower.contains(it))
        && !lower.contains("javascript:")
}

fn txt_2(narrative: &Object) -> bool {
    let Some(div) = narrative.get("div").and_then(serde_json::Value::as_str) else {
        return true;
    };
    let mut inside = false;
    let written = div.chars().any(|it| {
        match it {
            '<' => inside = true,
            '>' => inside = false,
            _ => return !inside && !it.is_whitespace(),
        }
        false
    });
    written || div.contains("<img")
}

fn tim_9(repeat: &Object) -> bool {
    let meal = |it: &serde_json::Value| matches!(it.as_str(), Some("C" | "CM" | "CD" | "CV"));
    !has(repeat, "offset") || has(repeat, "when") && !items(repeat, "when").any(meal)
}
