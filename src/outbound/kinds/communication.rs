//! A message of the clinic to the referrer.

use super::{Kind, alone, whole};
use crate::model::partner::Share;

/// A message, without notes and reasons.
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
    companions: alone,
};
