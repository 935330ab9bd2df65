//! Values that a profile fixes, as JSON Schema.

use serde_json::{Map, Value, json};

/// Exactly this value (FHIR R4, `ElementDefinition.fixed[x]`).
pub(super) fn fixed(value: &Value) -> Value {
    json!({ "const": value })
}

/// At least this value: an object has these elements, a list these items
/// (FHIR R4, `ElementDefinition.pattern[x]`).
pub(super) fn pattern(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let properties: Map<String, Value> =
                map.iter().map(|(name, value)| (name.clone(), pattern(value))).collect();
            json!({ "required": map.keys().collect::<Vec<_>>(), "properties": properties })
        }
        Value::Array(items) => {
            let items: Vec<Value> =
                items.iter().map(|it| json!({ "contains": pattern(it), "wanted": it })).collect();
            json!({ "allOf": items })
        }
        _ => fixed(value),
    }
}
