//! Bundles: the transactions that we write and read.

use serde_json::{Map, Value, json};

/// One entry of a transaction: create this unless it exists.
pub fn create_entry(full_url: &str, resource: Value, if_none_exist: &str) -> Value {
    let resource_type = resource["resourceType"].as_str().unwrap_or_default();
    let request = json!({ "method": "POST", "url": resource_type, "ifNoneExist": if_none_exist });
    // `json!` would write a whole resource anew to put it in.
    let mut entry = Map::with_capacity(3);
    entry.insert("fullUrl".to_owned(), full_url.into());
    entry.insert("resource".to_owned(), resource);
    entry.insert("request".to_owned(), request);
    Value::Object(entry)
}

/// A transaction of these entries.
pub fn transaction(entries: Vec<Value>) -> Value {
    let mut bundle = Map::with_capacity(3);
    bundle.insert("resourceType".to_owned(), "Bundle".into());
    bundle.insert("type".to_owned(), "transaction".into());
    bundle.insert("entry".to_owned(), Value::Array(entries));
    Value::Object(bundle)
}

/// A search result of these resources, each with its address.
pub fn searchset(matches: Vec<(String, Value)>) -> Value {
    let entries: Vec<Value> = matches
        .into_iter()
        .map(|(full_url, it)| json!({ "fullUrl": full_url, "resource": it, "search": { "mode": "match" } }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "total": entries.len(), "entry": entries })
}

/// The MessageHeader of a `message` Bundle, which must be its first entry (FHIR R4, bdl-12).
pub fn header(bundle: &Value) -> Option<&Value> {
    let first = entries(bundle).next().map(|it| &it["resource"]).filter(|_| bundle["type"] == "message");
    first.filter(|it| it["resourceType"] == "MessageHeader")
}

/// The resources of a Bundle.
pub fn resources(bundle: &Value) -> impl Iterator<Item = &Value> {
    entries(bundle).map(|entry| &entry["resource"]).filter(|it| it.is_object())
}

/// The entries of a Bundle.
pub fn entries(bundle: &Value) -> impl Iterator<Item = &Value> {
    bundle["entry"].as_array().into_iter().flatten()
}

/// The address of the next page of a search, where there is one.
pub fn next_page(bundle: &Value) -> Option<&str> {
    let links = bundle["link"].as_array()?;
    links.iter().find(|it| it["relation"] == "next").and_then(|it| it["url"].as_str())
}
