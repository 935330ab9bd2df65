//! The placer's order as the clinic's filler order. The placer's own is never changed.

use serde_json::{Value, json};

use crate::fhir::coding::{self, IDENTIFIER_TYPE, PLACER};
use crate::fhir::resource::{items_mut, push_item};

/// Makes the filler order of a placer's ServiceRequest: `intent` is `filler-order` and `basedOn` names the
/// placer's order by its identifier (SDOH Clinical Care, referral workflow, Coordination Platform).
pub fn make_filler_order(service_request: &mut Value, placer_identifier: Option<Value>) {
    type_as_placer(service_request);
    service_request["intent"] = json!("filler-order");
    let Some(identifier) = placer_identifier else {
        return;
    };
    let based_on = json!({ "type": "ServiceRequest", "identifier": identifier });
    push_item(service_request, "basedOn", based_on);
}

/// Gives every identifier that has no type of its own the placer's.
pub fn type_as_placer(resource: &mut Value) {
    for identifier in items_mut(resource, "identifier") {
        if identifier.get("type").is_none() {
            identifier["type"] = coding::concept(IDENTIFIER_TYPE, PLACER);
        }
    }
}
