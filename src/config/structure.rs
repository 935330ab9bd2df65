//! Compares a file with its JSON Schema.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::document::Values;
use super::environment::NotFilled;
use super::findings::Findings;
use super::key::Key;
use super::nearest::nearest;
use super::problem::Code;
use super::schema;

/// Reports every difference and every text that could not be filled in. Gives what is left without them,
/// so that the other checks can go on.
pub(crate) fn check(values: Values, schema: &Value, findings: &mut Findings) -> Value {
    let Values { mut json, not_filled } = values;
    let validator = jsonschema::draft7::new(schema).expect("a test compiles both schemas");
    let mistakes: Vec<Mistake> =
        validator.iter_errors(&json).flat_map(|error| mistakes_of(&error, schema)).collect();
    let (unknown, wrong): (Vec<_>, Vec<_>) =
        mistakes.into_iter().partition(|mistake| mistake.code == Code::UnknownKey);
    // The value of a misspelt key may be a secret. All are hidden before the first line is shown.
    for mistake in &unknown {
        findings.mask(&mistake.key);
    }
    let not_filled = not_filled.into_iter().map(|(key, reason)| {
        let NotFilled { message, help } = reason;
        Mistake { code: Code::Variable, key, message, help }
    });
    // Of two mistakes in one place the first is told, and a type says nothing about a text without its value.
    for mistake in unknown.into_iter().chain(not_filled).chain(wrong) {
        remove(&mut json, mistake.key.names());
        findings.report(mistake.code, mistake.key, mistake.message, mistake.help);
    }
    json
}

struct Mistake {
    code: Code,
    key: Key,
    message: String,
    help: String,
}

fn mistakes_of(error: &ValidationError<'_>, schema: &Value) -> Vec<Mistake> {
    let key = Key::from_pointer(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| unknown_key(&key, name, schema)).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![missing_key(&key, property.as_str().unwrap_or_default(), schema)]
        }
        kind => vec![wrong_value(key, kind, error.instance())],
    }
}

fn unknown_key(table: &Key, name: &str, schema: &Value) -> Mistake {
    let known = schema::at(schema, table.names()).and_then(|it| it["properties"].as_object());
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let help = match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    let message = format!("unknown key `{name}`");
    Mistake { code: Code::UnknownKey, key: table.child(name), message, help }
}

fn missing_key(table: &Key, name: &str, schema: &Value) -> Mistake {
    let key = table.child(name);
    let meaning = schema::at(schema, key.names()).and_then(|it| it["description"].as_str());
    let help = format!("add it: {}", meaning.unwrap_or_default().trim_end_matches('.'));
    Mistake { code: Code::MissingKey, message: format!("`{key}` is missing"), key, help }
}

fn wrong_value(key: Key, kind: &ValidationErrorKind, value: &Value) -> Mistake {
    let (code, help) = match kind {
        ValidationErrorKind::Type { kind } => (Code::WrongType, format!("write {}", type_name(kind))),
        ValidationErrorKind::Minimum { limit } => (Code::BadValue, format!("use {limit} or more")),
        ValidationErrorKind::Maximum { limit } => (Code::BadValue, format!("use {limit} or less")),
        ValidationErrorKind::MinLength { .. } => (Code::BadValue, "it may not be empty".to_owned()),
        ValidationErrorKind::Pattern { pattern } => (Code::BadValue, format!("it must match {pattern}")),
        kind => match options(kind) {
            Some(options) => (Code::BadValue, choice(&options, value)),
            None => (Code::BadValue, "see the manual of settings".to_owned()),
        },
    };
    let wrong = if code == Code::WrongType { "type" } else { "value" };
    Mistake { code, message: format!("`{key}` has a wrong {wrong}"), key, help }
}

fn choice(options: &[String], value: &Value) -> String {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let allowed = format!("use one of {}", options.join(", "));
    match value.as_str().and_then(|value| nearest(value, &options)) {
        Some(near) => format!("did you mean `{near}`? {allowed}"),
        None => allowed,
    }
}

/// The values that a closed list allows. Lists with a description for each value are a `oneOf`.
fn options(kind: &ValidationErrorKind) -> Option<Vec<String>> {
    match kind {
        ValidationErrorKind::Enum { options } => Some(texts(options)),
        ValidationErrorKind::Constant { expected_value } => Some(vec![text(expected_value)]),
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let inner = context.iter().flatten().filter_map(|error| options_of(error.kind()));
            Some(inner.flatten().collect())
        }
        _ => None,
    }
}

fn options_of(kind: &ValidationErrorKind) -> Option<Vec<String>> {
    match kind {
        ValidationErrorKind::Enum { options } => Some(texts(options)),
        ValidationErrorKind::Constant { expected_value } => Some(vec![text(expected_value)]),
        _ => None,
    }
}

fn texts(values: &Value) -> Vec<String> {
    values.as_array().into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_name(kind: &TypeKind) -> String {
    let TypeKind::Single(kind) = kind else { return "another type".to_owned() };
    match kind.to_string().trim_matches('"') {
        "string" => "a text in quotes".to_owned(),
        "integer" => "a whole number without quotes".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "a list in square brackets".to_owned(),
        "object" => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// Removes a wrong value. A wrong item takes its whole list along: half a list is not what was meant.
fn remove(values: &mut Value, names: &[String]) {
    let Some((name, inner)) = names.split_first() else { return };
    let Some(object) = values.as_object_mut() else { return };
    match object.get_mut(name) {
        Some(value) if !inner.is_empty() && value.is_object() => remove(value, inner),
        _ => {
            object.shift_remove(name);
        }
    }
}
