//! Removes what could tell of something that was taken out: narratives, references with their displays,
//! totals.

use serde_json::{Map, Value, json};

use super::{Gone, Mark};
use crate::consent::labels::label::Label;

/// The code system of the labels that say what was done to data.
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// Why a section has nothing in it (FHIR R4, Composition.section.emptyReason).
const EMPTY_REASON: &str = "http://terminology.hl7.org/CodeSystem/list-empty-reason";

/// Removes every trace of what is `gone` from a resource or Bundle.
pub fn remove(resource: &mut Value, gone: &Gone, mark: Mark) {
    if let Some(bundle) = resource.as_object_mut() {
        bundle.shift_remove("total");
    }
    drop_narratives(resource);
    drop_pointers(resource, gone);
    explain_empty_sections(resource, mark);
    if mark == Mark::Say {
        say_so(resource);
    }
}

/// Drops what points to what is gone, with every list and object that is empty then. Says whether the value
/// itself stays.
fn drop_pointers(value: &mut Value, gone: &Gone) -> bool {
    match value {
        Value::Object(map) if points_to(map, gone) => false,
        Value::Object(map) => {
            let before = map.len();
            map.retain(|key, child| {
                !(key == "url" && names_one_of(child, gone)) && drop_pointers(child, gone)
            });
            before == map.len() || !map.is_empty()
        }
        Value::Array(list) => {
            let before = list.len();
            list.retain_mut(|child| drop_pointers(child, gone));
            before == list.len() || !list.is_empty()
        }
        _ => true,
    }
}

/// Whether an object is a reference to what is gone, by its name or by a business identifier.
fn points_to(reference: &Map<String, Value>, gone: &Gone) -> bool {
    let by_name = reference.get("reference").is_some_and(|it| names_one_of(it, gone));
    let by_identifier = reference.get("identifier").is_some_and(|it| {
        gone.identifiers.iter().any(|(system, value)| it["system"] == **system && it["value"] == **value)
    });
    by_name || (by_identifier && !reference.contains_key("resourceType"))
}

/// A name with its version or its base still names what is gone.
fn names_one_of(text: &Value, gone: &Gone) -> bool {
    let Some(text) = text.as_str() else {
        return false;
    };
    let unversioned = text.split("/_history/").next().unwrap_or(text);
    gone.names.iter().any(|it| {
        unversioned == it || unversioned.strip_suffix(it.as_str()).is_some_and(|base| base.ends_with('/'))
    })
}

/// A narrative may say what was taken out, wherever it stands.
fn drop_narratives(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("text").is_some_and(|it| it["div"].is_string() || it["status"].is_string()) {
                map.shift_remove("text");
            }
            map.values_mut().for_each(drop_narratives);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_narratives),
        _ => {}
    }
}

/// A section needs entries, sections, a text or a reason (FHIR R4, cmp-1): `withheld` if we may say so.
fn explain_empty_sections(value: &mut Value, mark: Mark) {
    match value {
        Value::Object(map) => {
            for section in map.get_mut("section").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(section) = section.as_object_mut() {
                    explain_if_empty(section, mark);
                }
            }
            if let Some(sections) = map.get_mut("section").and_then(Value::as_array_mut) {
                sections.retain(|it| {
                    it["entry"].is_array() || it["section"].is_array() || it["emptyReason"].is_object()
                });
                if sections.is_empty() {
                    map.shift_remove("section");
                }
            }
            map.values_mut().for_each(|it| explain_empty_sections(it, mark));
        }
        Value::Array(list) => list.iter_mut().for_each(|it| explain_empty_sections(it, mark)),
        _ => {}
    }
}

/// Without the mark an empty section goes as a whole: its title alone could tell.
fn explain_if_empty(section: &mut Map<String, Value>, mark: Mark) {
    let has_content = section.contains_key("entry") || section.contains_key("section");
    if !has_content && mark == Mark::Say {
        section.insert(
            "emptyReason".to_owned(),
            json!({ "coding": [{ "system": EMPTY_REASON, "code": "withheld" }] }),
        );
    }
}

fn say_so(resource: &mut Value) {
    let redacted = Label::new(OBSERVATION_VALUE, "REDACTED");
    let label = json!({ "system": redacted.system, "code": redacted.code });
    let Some(map) = resource.as_object_mut() else {
        return;
    };
    let meta = map.entry("meta").or_insert_with(|| json!({}));
    match meta.get_mut("security").and_then(Value::as_array_mut) {
        Some(labels) => labels.push(label),
        None => meta["security"] = json!([label]),
    }
}
