//! References between resources.

use serde_json::Value;

/// What a literal reference points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `#id`: contained in the same resource.
    Contained(&'a str),
    /// `urn:uuid:…` or `urn:oid:…`: an entry of the same Bundle.
    Urn(&'a str),
    /// `Type/id`, perhaps with a version: on the server that the message comes from.
    Relative {
        /// FHIR's resource type.
        resource_type: &'a str,
        /// The id.
        id: &'a str,
    },
    /// A complete address.
    Absolute(&'a str),
    /// Anything else.
    Unclear(&'a str),
}

/// Reads the text of `Reference.reference` (FHIR R4, references, literal references).
pub fn target(reference: &str) -> Target<'_> {
    if let Some(id) = reference.strip_prefix('#') {
        return Target::Contained(id);
    }
    if reference.starts_with("urn:") {
        return Target::Urn(reference);
    }
    if reference.starts_with("http://") || reference.starts_with("https://") {
        return Target::Absolute(reference);
    }
    relative(reference).unwrap_or(Target::Unclear(reference))
}

fn relative(reference: &str) -> Option<Target<'_>> {
    let mut parts = reference.split('/');
    let (resource_type, id) = (parts.next()?, parts.next()?);
    let rest: Vec<&str> = parts.collect();
    let versioned = rest.is_empty() || (rest.len() == 2 && rest[0] == "_history");
    let named = resource_type.starts_with(|first: char| first.is_ascii_uppercase()) && is_id(id);
    (versioned && named).then_some(Target::Relative { resource_type, id })
}

/// Whether a text is a legal FHIR `id`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// The last `Type/id` of a reference, version and base taken off.
pub fn type_and_id(reference: &str) -> Option<(&str, &str)> {
    let reference = reference.split("/_history/").next()?;
    let (front, id) = reference.rsplit_once('/')?;
    let resource_type = front.rsplit('/').next()?;
    (is_id(id) && resource_type.starts_with(|first: char| first.is_ascii_uppercase()))
        .then_some((resource_type, id))
}

/// Calls `visit` with the path and every `Reference` object in a value, contained resources included.
/// A Reference is told by its string element `reference`; nothing else in R4 has one of that name and type
/// but `Consent.provision.data` and the like, whose `reference` is an object.
pub fn for_each<'v>(value: &'v Value, path: &str, visit: &mut dyn FnMut(&str, &'v Value)) {
    match value {
        Value::Object(map) => {
            if map.get("reference").is_some_and(Value::is_string) {
                visit(path, value);
            }
            for (key, child) in map {
                for_each(child, &format!("{path}.{key}"), visit);
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                for_each(child, &format!("{path}[{index}]"), visit);
            }
        }
        _ => {}
    }
}

/// Calls `change` with every `Reference` object in a value, contained resources included.
pub fn for_each_mut(value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(map) => {
            for child in map.values_mut() {
                for_each_mut(child, change);
            }
            if map.get("reference").is_some_and(Value::is_string) {
                change(value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|child| for_each_mut(child, change)),
        _ => {}
    }
}

/// Calls `keep` with every `Reference` object in a value and removes those for which it says false, with
/// every list and object that is empty then.
pub fn retain(value: &mut Value, keep: &mut dyn FnMut(&mut Value) -> bool) -> bool {
    match value {
        Value::Object(map) => {
            if map.get("reference").is_some_and(Value::is_string) {
                return keep(value);
            }
            let before = map.len();
            map.retain(|_, child| retain(child, keep));
            before == map.len() || !map.is_empty()
        }
        Value::Array(list) => {
            let before = list.len();
            list.retain_mut(|child| retain(child, keep));
            before == list.len() || !list.is_empty()
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_reference_takes_what_is_empty_without_it_along() {
        let mut value = serde_json::json!({
            "activity": [{ "reference": { "reference": "Task/1" } }],
            "subject": { "reference": "Patient/1" },
        });

        retain(&mut value, &mut |it| it["reference"] != "Task/1");

        assert_eq!(value, serde_json::json!({ "subject": { "reference": "Patient/1" } }));
    }

    #[test]
    fn literal_references_are_told_apart() {
        assert_eq!(target("#p1"), Target::Contained("p1"));
        assert_eq!(target("urn:uuid:1"), Target::Urn("urn:uuid:1"));
        assert_eq!(target("Patient/7"), Target::Relative { resource_type: "Patient", id: "7" });
        assert_eq!(target("Patient/7/_history/2"), Target::Relative { resource_type: "Patient", id: "7" });
        assert_eq!(target("https://a/fhir/Patient/7"), Target::Absolute("https://a/fhir/Patient/7"));
        assert_eq!(target("patient 7"), Target::Unclear("patient 7"));
        assert_eq!(type_and_id("https://a/fhir/Patient/7/_history/2"), Some(("Patient", "7")));
    }
}
