//! Results.

use serde_json::Value;

use super::{Kind, whole};
use crate::model::partner::Share;

/// A report with its Observations; without media, and without documents made from it.
pub const KIND: Kind = Kind {
    resource_type: "DiagnosticReport",
    share: Share::Results,
    sent: &[
        "identifier",
        "basedOn",
        "status",
        "category",
        "code",
        "subject",
        "effectiveDateTime",
        "effectivePeriod",
        "issued",
        "performer",
        "result",
        "conclusionCode",
    ],
    trim: whole,
    companions: results,
};

/// The elements of an Observation that travel with a report.
pub const OBSERVATION: &[&str] = &[
    "identifier",
    "status",
    "category",
    "code",
    "subject",
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "issued",
    "valueQuantity",
    "valueCodeableConcept",
    "valueString",
    "valueBoolean",
    "valueInteger",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
    "dataAbsentReason",
    "interpretation",
    "referenceRange",
    "component",
];

fn results(report: &Value) -> Vec<String> {
    let results = report["result"].as_array().into_iter().flatten();
    results.filter_map(|it| it["reference"].as_str().map(str::to_owned)).collect()
}
