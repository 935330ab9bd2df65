//! For programs: one JSON object. Its names are told in docs/how-to/find-out-where-a-field-went.md.

use serde_json::{Value, json};

use super::loss;
use crate::app::preview::{Direction, Previewed};
use crate::fhir::outcome::operation_outcome;
use crate::translation::account::Tally;

/// Everything. `tally` is of the whole file, where only some of its values are shown.
pub(super) fn of(previewed: &Previewed, tally: Tally) -> Value {
    let shape = &previewed.shape;
    let table: Vec<Value> = previewed
        .account
        .passages
        .iter()
        .map(|it| json!({ "from": it.from, "to": it.to, "fate": it.fate.word(), "how": it.how }))
        .collect();
    let added: Vec<Value> =
        previewed.account.added.iter().map(|it| json!({ "to": it.to, "how": it.how })).collect();
    let steps: Vec<Value> = previewed
        .steps
        .iter()
        .map(|(name, tally)| json!({ "step": name, "values": loss::object(tally) }))
        .collect();
    let mut object = json!({
        "accepted": previewed.accepted,
        "shape": {
            "door": shape.door,
            "fhirVersion": shape.fhir_version,
            "dialect": shape.dialect,
            "resourceType": shape.resource_type,
            "bundleType": shape.bundle_type,
            "event": shape.event,
            "resources": shape.resources,
            "profiles": shape.profiles,
        },
        "notes": previewed.notes,
        "codes": previewed.codes,
        "table": table,
        "added": added,
        "loss": { "steps": steps, "altogether": loss::object(&tally) },
    });
    if !previewed.issues.is_empty() {
        object["outcome"] = operation_outcome(&previewed.issues, None);
    }
    match previewed.direction {
        Direction::Inbound => {
            object["direction"] = json!("inbound");
            object["answer"] = json!(previewed.answer);
            object["forClinic"] = json!(previewed.results.first());
        }
        Direction::Outbound => {
            object["direction"] = json!("outbound");
            object["forPartner"] = json!(previewed.results);
        }
    }
    object
}
