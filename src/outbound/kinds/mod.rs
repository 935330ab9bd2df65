//! What can be sent back, one kind a file: which agreement covers it, which elements go at least and which
//! never (reference: consent part (c)), and what travels along.

pub mod appointment;
pub mod care_plan;
pub mod communication;
pub mod composition;
pub mod diagnostic_report;
pub mod document_reference;
pub mod task;

use serde_json::Value;

use crate::fhir::resource::items_mut;
use crate::model::partner::Share;

/// One kind of update.
#[derive(Debug)]
pub struct Kind {
    /// FHIR's resource type.
    pub resource_type: &'static str,
    /// The agreement that covers it.
    pub share: Share,
    /// The elements that are sent. All others stay at the clinic.
    pub sent: &'static [&'static str],
    /// Takes out of those elements what is too much.
    pub trim: fn(&mut Value),
    /// The references, as the resource has them, to what must travel along.
    pub companions: fn(&Value) -> Vec<String>,
}

/// Every kind, in the order in which the clinic is asked for them: a Task may name what others hold.
pub const KINDS: [&Kind; 7] = [
    &task::KIND,
    &appointment::KIND,
    &communication::KIND,
    &composition::KIND,
    &document_reference::KIND,
    &diagnostic_report::KIND,
    &care_plan::KIND,
];

/// The kind of a resource type.
pub fn kind(resource_type: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.resource_type == resource_type)
}

/// Nothing to take out.
const fn whole(_: &mut Value) {}

/// Nothing travels along.
const fn alone(_: &Value) -> Vec<String> {
    Vec::new()
}

/// Leaves these members of every object in a list element.
fn keep_members(resource: &mut Value, element: &str, kept: &[&str]) {
    for item in items_mut(resource, element) {
        if let Some(map) = item.as_object_mut() {
            map.retain(|key, _| kept.contains(&key.as_str()));
        }
    }
}
