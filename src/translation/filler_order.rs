//! The placer's order as the clinic's filler order. The placer's own is never changed.

use serde_json::{Value, json};

use crate::fhir::coding::{self, IDENTIFIER_TYPE, PLACER};

/// Makes the filler order of a placer's ServiceRequest: `intent` is `filler-order` and `basedOn` names the
/// placer's order by its identifier (SDOH Clinical Care, referral workflow, Coordination Platform).
pub fn make_filler_order(service_request: &mut Value, placer_identifier: Option<Value>) {
    type_as_placer(service_request);
    service_request["intent"] = json!("filler-order");
    let Some(identifier) = placer_identifier else {
        return;
    };
    let based_on = json!({ "type": "ServiceRequest", "identifier": identifier });
    match service_request["basedOn"].as_array_mut() {
        Some(list) => list.push(based_on),
        None => service_request["basedOn"] = json!([based_on]),
    }
}

/// Gives every identifier that has no type of its own the placer's.
pub fn type_as_placer(resource: &mut Value) {
    for identifier in resource["identifier"].as_array_mut().into_iter().flatten() {
        if identifier.get("type").is_none() {
            identifier["type"] = coding::concept(IDENTIFIER_TYPE, PLACER);
        }
    }
}
