//! What should stand where something else stands, from the place in the schema.

use jsonschema::ValidationError;
use serde_json::Value;

/// The type that was expected: `a Reference, a JSON object`.
pub(super) fn form(error: &ValidationError<'_>, schema: &Value) -> String {
    let path = error.schema_path().as_str();
    let json = json_type(path, schema);
    match definition(path) {
        Some(Definition::One(name)) => format!("{} {name}, {json}", article(name)),
        Some(Definition::List(name)) if is_part(name) => "a JSON array of objects".to_owned(),
        Some(Definition::List(name)) => format!("a JSON array of {name}"),
        None => json.to_owned(),
    }
}

/// The format that was expected, with an example.
pub(super) fn format(error: &ValidationError<'_>, schema: &Value) -> String {
    match definition(error.schema_path().as_str()) {
        Some(Definition::One(name)) => example(name).map_or_else(|| form(error, schema), str::to_owned),
        _ => form(error, schema),
    }
}

enum Definition<'a> {
    One(&'a str),
    List(&'a str),
}

/// The FHIR type that a keyword's place is in: `/$defs/Reference/type` or `/$defs/stringList/items/type`.
fn definition(path: &str) -> Option<Definition<'_>> {
    let mut steps = path.strip_prefix("/$defs/")?.split('/');
    let (name, keyword) = (steps.next()?, steps.next()?);
    match (name.strip_suffix("List"), keyword) {
        (Some(item), "items") => (!is_part(item)).then_some(Definition::One(item)),
        (Some(item), _) => Some(Definition::List(item)),
        (None, "properties") => None,
        (None, _) => (!is_part(name)).then_some(Definition::One(name)),
    }
}

/// Whether a definition is a part of a type, such as `Patient.contact`: no sender knows it by that name.
fn is_part(name: &str) -> bool {
    name.contains('.')
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'a', 'i', 'o']) { "an" } else { "a" }
}

fn json_type(path: &str, schema: &Value) -> &'static str {
    let expected = schema.pointer(path).map(|it| it.as_array().map_or(it, |list| &list[0]));
    match expected.and_then(Value::as_str) {
        Some("array") => "a JSON array",
        Some("string") => "a JSON string",
        Some("boolean") => "true or false",
        Some("integer" | "number") => "a JSON number",
        _ => "a JSON object",
    }
}

fn example(name: &str) -> Option<&'static str> {
    Some(match name {
        "code" => "a code without spaces at its ends",
        "date" => "a date such as 2026-03-01",
        "dateTime" => "a date, or a date and time with seconds and zone, such as 2026-03-01T09:30:00Z",
        "id" => "an id of at most 64 letters, digits, `-` or `.`",
        "instant" => "a date and time with seconds and zone, such as 2026-03-01T09:30:00Z",
        "integer" => "a whole number of at most 32 bits",
        "positiveInt" => "a whole number from 1",
        "unsignedInt" => "a whole number from 0",
        "time" => "a time with seconds, such as 09:30:00",
        "canonical" | "uri" | "url" => "a URI without spaces",
        "oid" => "an OID that begins with urn:oid:",
        "uuid" => "a UUID in lower case that begins with urn:uuid:",
        "xhtml" => "XHTML in one div",
        _ => return None,
    })
}
