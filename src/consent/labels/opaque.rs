//! Whether a resource says things that its codes cannot tell: free text and attachments (consent (b)).

use serde_json::{Map, Value};

use crate::fhir::resource;

/// Elements that hold free text or a file, in whatever resource.
const FREE: [&str; 14] = [
    "contentString",
    "contentAttachment",
    "presentedForm",
    "attachment",
    "note",
    "comment",
    "comments",
    "description",
    "conclusion",
    "patientInstruction",
    "valueString",
    "valueMarkdown",
    "valueAttachment",
    "additionalText",
];

/// Whether it does. Contained resources speak for themselves.
pub fn is_opaque(resource: &Value) -> bool {
    resource::resource_type(resource) == "Binary"
        || resource
            .as_object()
            .is_some_and(|map| map.iter().any(|(key, it)| key != "contained" && speaks(key, it)))
}

fn speaks(key: &str, value: &Value) -> bool {
    if FREE.contains(&key) {
        return true;
    }
    match value {
        Value::Object(map) => {
            is_narrative_beyond_the_data(key, map)
                || is_words_only(map)
                || map.iter().any(|(key, it)| speaks(key, it))
        }
        Value::Array(list) => list.iter().any(|it| speaks(key, it)),
        _ => false,
    }
}

/// A narrative with more in it than the elements say (FHIR R4, narrative status `additional`).
fn is_narrative_beyond_the_data(key: &str, map: &Map<String, Value>) -> bool {
    key == "text" && map.get("status").is_some_and(|it| it == "additional")
}

/// A CodeableConcept without a code: nothing can look it up.
fn is_words_only(map: &Map<String, Value>) -> bool {
    map.get("text").is_some_and(Value::is_string) && !map.contains_key("coding")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn free_text_files_and_words_without_a_code_are_opaque() {
        for resource in [
            json!({ "resourceType": "Binary" }),
            json!({ "resourceType": "Communication", "payload": [{ "contentString": "…" }] }),
            json!({ "resourceType": "DocumentReference", "content": [{ "attachment": { "url": "x" } }] }),
            json!({ "resourceType": "Condition", "code": { "text": "…" } }),
            json!({ "resourceType": "Composition", "section": [{ "text": { "status": "additional" } }] }),
        ] {
            assert!(is_opaque(&resource), "{resource}");
        }
    }

    #[test]
    fn codes_and_a_generated_narrative_are_not() {
        let coded = json!({
            "resourceType": "Condition",
            "text": { "status": "generated", "div": "<div/>" },
            "code": { "coding": [{ "system": "urn:s", "code": "c" }], "text": "…" },
            "contained": [{ "resourceType": "Binary" }],
        });

        assert!(!is_opaque(&coded));
    }
}
