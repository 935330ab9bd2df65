//! What a partner sends about a referral that the clinic has, in the clinic's terms.

mod places;
mod task_change;
mod to_clinic;

pub use places::Places;
pub use task_change::{Change, TaskChange, elements_not_the_placers};
pub use to_clinic::{ReplyParties, abort_task, reply_to_clinic};

use serde_json::Value;

use crate::fhir::coding::has_coding;
use crate::fhir::resource::resource_type;
use crate::translation::coordination::TASK_CODE;

/// The types that a reply may bring.
pub const TYPES: [&str; 3] = ["Communication", "DocumentReference", "QuestionnaireResponse"];

/// Whether a Task asks to stop something (FHIR R4, code system task-code).
pub fn is_abort(task: &Value) -> bool {
    resource_type(task) == "Task" && has_coding(&task["code"], TASK_CODE, "abort")
}

/// The elements of a reply by which it says which referral it is about.
pub fn about(reply: &Value) -> impl Iterator<Item = &Value> {
    let named: &[&str] = match resource_type(reply) {
        "Communication" => &["basedOn", "about", "partOf"],
        "QuestionnaireResponse" => &["basedOn", "partOf"],
        "Task" => &["focus", "basedOn", "partOf"],
        _ => &[],
    };
    let related =
        if resource_type(reply) == "DocumentReference" { &reply["context"]["related"] } else { &Value::Null };
    let elements = named.iter().map(|it| &reply[*it]).chain([related]);
    elements.flat_map(|it| it.as_array().map_or(std::slice::from_ref(it), Vec::as_slice))
}

/// The patient that a reply names.
pub fn patient(reply: &Value) -> &Value {
    if resource_type(reply) == "Task" { &reply["for"] } else { &reply["subject"] }
}
