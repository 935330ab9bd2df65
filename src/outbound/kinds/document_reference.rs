//! A visit summary that the clinic keeps as a document.

use serde_json::Value;

use super::{Kind, keep_members};
use crate::model::partner::Share;

/// A document with its content inside: the partner could not follow an address of the clinic's server.
pub const KIND: Kind = Kind {
    resource_type: "DocumentReference",
    share: Share::VisitSummary,
    sent: &[
        "identifier",
        "masterIdentifier",
        "status",
        "docStatus",
        "type",
        "category",
        "subject",
        "date",
        "author",
        "content",
        "context",
    ],
    trim,
    companions: binaries,
};

fn trim(document: &mut Value) {
    keep_members(document, "content", &["attachment", "format"]);
    if let Some(context) = document.get_mut("context").and_then(Value::as_object_mut) {
        context.retain(|key, _| matches!(key.as_str(), "period" | "related"));
    }
}

fn binaries(document: &Value) -> Vec<String> {
    let contents = document["content"].as_array().into_iter().flatten();
    contents.filter_map(|it| it["attachment"]["url"].as_str().map(str::to_owned)).collect()
}
