//! What is planned.

use serde_json::Value;

use super::{Kind, alone, keep_members};
use crate::fhir::resource::items_mut;
use crate::model::partner::Share;

/// A plan: its activities, without the problems and goals that it addresses.
pub const KIND: Kind = Kind {
    resource_type: "CarePlan",
    share: Share::CarePlan,
    sent: &[
        "identifier",
        "status",
        "intent",
        "category",
        "title",
        "subject",
        "period",
        "created",
        "activity",
    ],
    trim,
    companions: alone,
};

fn trim(plan: &mut Value) {
    keep_members(plan, "activity", &["detail", "reference"]);
    for activity in items_mut(plan, "activity") {
        if let Some(detail) = activity.get_mut("detail").and_then(Value::as_object_mut) {
            detail.retain(|key, _| !matches!(key.as_str(), "goal" | "reasonReference" | "reasonCode"));
        }
    }
}
