//! A resource as JSON. Resources stay `serde_json::Value`: a gateway must carry what it does not understand.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// FHIR's resource type; empty where there is none.
pub fn resource_type(resource: &Value) -> &str {
    resource["resourceType"].as_str().unwrap_or_default()
}

/// The logical id; empty where there is none.
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap_or_default()
}

/// `meta.versionId`; empty where the server keeps none.
pub fn version(resource: &Value) -> &str {
    resource["meta"]["versionId"].as_str().unwrap_or_default()
}

/// `meta.lastUpdated`.
pub fn last_updated(resource: &Value) -> Option<Timestamp> {
    resource["meta"]["lastUpdated"].as_str().and_then(|text| text.parse().ok())
}

/// `Type/id`.
pub fn name_of(resource: &Value) -> String {
    format!("{}/{}", resource_type(resource), id(resource))
}

/// Whether a resource has this `Type/id`.
pub fn is_named(resource: &Value, name: &str) -> bool {
    name.split_once('/').is_some_and(|(named_type, named_id)| {
        resource_type(resource) == named_type && id(resource) == named_id
    })
}

/// An element of an object. Where objects have few elements, comparing names is faster than a look-up by hash.
pub fn element<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(it, _)| *it == name).map(|(_, it)| it)
}

/// The items of a list element; none where it is missing. Indexing with `[]` would put a null there.
pub fn items_mut<'v>(value: &'v mut Value, element: &str) -> impl Iterator<Item = &'v mut Value> {
    value.get_mut(element).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Adds an item to a list element, which is made where it is missing.
pub fn push_item(value: &mut Value, element: &str, item: Value) {
    match value.get_mut(element).and_then(Value::as_array_mut) {
        Some(list) => list.push(item),
        None => value[element] = Value::Array(vec![item]),
    }
}

/// The same content whatever the order of keys and the white space: keys sorted, no spaces.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(value, &mut out, &mut |_, _| Written::Whole);
    out
}

/// How an element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// With its value.
    Whole,
    /// With null as its value.
    Blank,
    /// Not at all.
    Not,
}

/// Writes the same as [`canonical`], but for the elements of which `how` says otherwise. It is asked with the
/// object and the element's name, in the order of writing.
pub fn write_canonical(
    value: &Value,
    out: &mut Vec<u8>,
    how: &mut dyn FnMut(&Map<String, Value>, &str) -> Written,
) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<(&String, Written)> = map.keys().map(|key| (key, Written::Whole)).collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            for (key, written) in &mut keys {
                *written = how(map, key);
            }
            keys.retain(|(_, written)| *written != Written::Not);
            write_list(out, b'{', b'}', keys, |out, (key, written)| {
                write_text(key, out);
                out.push(b':');
                match written {
                    Written::Whole => write_canonical(&map[key], out, how),
                    Written::Blank | Written::Not => out.extend_from_slice(b"null"),
                }
            });
        }
        Value::Array(list) => {
            write_list(out, b'[', b']', list.iter().collect(), |out, it| write_canonical(it, out, how));
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_list<T>(
    out: &mut Vec<u8>,
    open: u8,
    close: u8,
    items: Vec<T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a text can be written to memory");
}

fn write_scalar(value: &Value, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a JSON scalar can be written to memory");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn looking_for_items_adds_nothing_and_pushing_makes_the_list() {
        let mut resource = json!({ "resourceType": "Task" });

        assert_eq!(items_mut(&mut resource, "identifier").count(), 0);
        assert_eq!(resource, json!({ "resourceType": "Task" }));
        push_item(&mut resource, "identifier", json!(1));
        push_item(&mut resource, "identifier", json!(2));

        assert_eq!(resource["identifier"], json!([1, 2]));
    }

    #[test]
    fn order_of_keys_does_not_matter_and_order_of_items_does() {
        assert_eq!(canonical(&json!({"b": 1, "a": [1, 2]})), br#"{"a":[1,2],"b":1}"#);
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
    }
}
