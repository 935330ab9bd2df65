//! Looking into Bundles, and changing them.

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::Value;

/// The first resource of a type in a Bundle.
pub fn part<'b>(bundle: &'b Value, resource_type: &str) -> &'b Value {
    let mut entries = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    entries.find(|it| it["resourceType"] == resource_type).unwrap()
}

/// The same, to change it.
pub fn part_mut<'b>(bundle: &'b mut Value, resource_type: &str) -> &'b mut Value {
    let entries = bundle["entry"].as_array_mut().unwrap().iter_mut().map(|entry| &mut entry["resource"]);
    entries.into_iter().find(|it| it["resourceType"] == resource_type).unwrap()
}

/// The coordination Task in the answer to a referral, whichever door it came through.
pub fn answered_task(reply: &Reply) -> &Value {
    if reply.body["resourceType"] == "Task" { &reply.body } else { part(&reply.body, "Task") }
}

/// A resource without what differs between two places where it stands: id, meta and addresses in references.
pub fn elsewhere(resource: &Value) -> Value {
    let mut bare = resource.clone();
    let map = bare.as_object_mut().unwrap();
    map.remove("id");
    map.remove("meta");
    remove_addresses(&mut bare);
    bare
}

fn remove_addresses(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("reference");
            map.values_mut().for_each(remove_addresses);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_addresses),
        _ => {}
    }
}
