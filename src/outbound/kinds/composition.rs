//! A visit summary that the clinic writes as a Composition.

use serde_json::Value;

use super::{Kind, alone};
use crate::fhir::resource::items_mut;
use crate::model::partner::Share;

/// A visit summary: the text of its sections, without the resources behind them.
pub const KIND: Kind = Kind {
    resource_type: "Composition",
    share: Share::VisitSummary,
    sent: &["identifier", "status", "type", "category", "subject", "date", "author", "title", "section"],
    trim,
    companions: alone,
};

fn trim(composition: &mut Value) {
    for section in items_mut(composition, "section") {
        if let Some(map) = section.as_object_mut() {
            map.retain(|key, _| matches!(key.as_str(), "title" | "code" | "text" | "section"));
        }
        trim(section);
    }
}
