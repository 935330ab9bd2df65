//! When the patient is seen.

use serde_json::Value;

use super::{Kind, alone, keep_members};
use crate::model::partner::Share;

/// An appointment: who and when, without comment, description or instructions.
pub const KIND: Kind = Kind {
    resource_type: "Appointment",
    share: Share::Scheduling,
    sent: &["identifier", "basedOn", "status", "start", "end", "serviceType", "participant"],
    trim,
    companions: alone,
};

fn trim(appointment: &mut Value) {
    keep_members(appointment, "participant", &["actor", "status"]);
}
