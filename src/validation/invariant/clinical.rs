//! Invariants of clinical resources.

use serde_json::Value;

use super::compare::may_precede;
use super::{Invariant, Object, any, has, has_choice, is_coded, items, rule};

const CONDITION_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const ALLERGY_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
const MISTAKEN: &[&str] = &["entered-in-error"];

pub(super) const INVARIANTS: &[Invariant] = &[
    rule("con-1", |it| any(it, &["summary", "assessment"]), "Send the stage's `summary` or `assessment`."),
    rule("con-2", |it| any(it, &["code", "detail"]), "Send the evidence's `code` or `detail`."),
    rule("con-4", con_4, "Send `clinicalStatus` inactive, resolved or remission with `abatement[x]`."),
    rule("con-5", con_5, "Leave `clinicalStatus` out of a condition that was entered in error."),
    rule(
        "obs-3",
        |it| any(it, &["low", "high", "text"]),
        "Send `low`, `high` or `text` of the reference range.",
    ),
    rule("obs-6", obs_6, "Send `value[x]` or `dataAbsentReason`, not both."),
    rule("obs-7", obs_7, "Send the value once: `value[x]` or the component of the same code."),
    rule("ait-1", ait_1, "Send `clinicalStatus` of the allergy: active, inactive or resolved."),
    rule("ait-2", ait_2, "Leave `clinicalStatus` out of an allergy that was entered in error."),
    rule("imm-1", |it| any(it, &["documentType", "reference"]), "Send `documentType` or `reference`."),
    rule(
        "gol-1",
        |it| !has_choice(it, "detail") || has(it, "measure"),
        "Send the target's `measure` with its `detail[x]`.",
    ),
    rule(
        "fhs-1",
        |it| !has_choice(it, "age") || !has_choice(it, "born"),
        "Send `age[x]` or `born[x]`, not both.",
    ),
    rule(
        "fhs-2",
        |it| !has(it, "estimatedAge") || has_choice(it, "age"),
        "Send `age[x]` with `estimatedAge`.",
    ),
    rule("mad-1", |it| has(it, "dose") || has_choice(it, "rate"), "Send the dosage's `dose` or `rate[x]`."),
    rule(
        "mdd-1",
        |it| may_precede(it.get("whenPrepared"), it.get("whenHandedOver")),
        "Send a `whenHandedOver` that is not before `whenPrepared`.",
    ),
    rule(
        "qrs-1",
        |it| !has(it, "answer") || !has(it, "item"),
        "Send nested items below the item or below its answer, not both.",
    ),
];

fn con_4(condition: &Object) -> bool {
    !has_choice(condition, "abatement")
        || is_coded(condition, "clinicalStatus", CONDITION_CLINICAL, &["inactive", "resolved", "remission"])
}

fn con_5(condition: &Object) -> bool {
    !is_coded(condition, "verificationStatus", CONDITION_VERIFICATION, MISTAKEN)
        || !has(condition, "clinicalStatus")
}

fn obs_6(observation: &Object) -> bool {
    !has(observation, "dataAbsentReason") || !has_choice(observation, "value")
}

fn obs_7(observation: &Object) -> bool {
    let codings = |it: &Value| it["coding"].as_array().cloned().unwrap_or_default();
    let own = observation.get("code").map(codings).unwrap_or_default();
    let same = |it: &Value| it["system"].is_string() && own.iter().any(|own| own == it);
    !has_choice(observation, "value")
        || !items(observation, "component").any(|it| codings(&it["code"]).iter().any(same))
}

fn ait_1(allergy: &Object) -> bool {
    has(allergy, "clinicalStatus") || is_coded(allergy, "verificationStatus", ALLERGY_VERIFICATION, MISTAKEN)
}

fn ait_2(allergy: &Object) -> bool {
    !has(allergy, "clinicalStatus")
        || !is_coded(allergy, "verificationStatus", ALLERGY_VERIFICATION, MISTAKEN)
}
