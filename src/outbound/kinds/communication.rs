//! A message of the clinic to the referrer.

use serde_json::Value;

use super::{Kind, whole};
use crate::model::partner::Share;

/// A message with its files inside, without notes and reasons.
pub const KIND: Kind = Kind {
    resource_type: "Communication",
    share: Share::Communication,
    sent: &[
        "identifier",
        "basedOn",
        "about",
        "status",
        "category",
        "subject",
        "sent",
        "sender",
        "recipient",
        "payload",
    ],
    trim: whole,
    companions: binaries,
};

fn binaries(message: &Value) -> Vec<String> {
    let parts = message["payload"].as_array().into_iter().flatten();
    parts.filter_map(|it| it["contentAttachment"]["url"].as_str().map(str::to_owned)).collect()
}
