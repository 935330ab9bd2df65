//! Where the referral stands.

use super::{Kind, alone, whole};
use crate::model::partner::Share;

/// The coordination Task. Its notes, description, inputs and outputs stay at the clinic.
pub const KIND: Kind = Kind {
    resource_type: "Task",
    share: Share::ReferralStatus,
    sent: &[
        "identifier",
        "basedOn",
        "groupIdentifier",
        "status",
        "statusReason",
        "businessStatus",
        "intent",
        "priority",
        "code",
        "focus",
        "for",
        "executionPeriod",
        "authoredOn",
        "lastModified",
        "owner",
    ],
    trim: whole,
    companions: alone,
};
