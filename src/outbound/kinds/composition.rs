//! A visit summary that the clinic writes as a Composition.

use serde_json::Value;

use super::{Kind, alone};
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
    trim_sections(&mut composition["section"]);
}

fn trim_sections(sections: &mut Value) {
    for section in sections.as_array_mut().into_iter().flatten() {
        if let Some(map) = section.as_object_mut() {
            map.retain(|key, _| matches!(key.as_str(), "title" | "code" | "text" | "section"));
        }
        if section.get("section").is_some() {
            trim_sections(&mut section["section"]);
        }
    }
}
