//! The JSON Schemas of the settings files, for editors and for `check`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{defaults, raw};

/// The files under `config/schema/` with their content. `referral-gateway config schema` writes them.
pub fn schema_files() -> [(&'static str, String); 2] {
    [("gateway.schema.json", printed(&gateway())), ("partner.schema.json", printed(&partner()))]
}

/// The schema of `gateway.toml`. Nothing is required that has a default.
pub(crate) fn gateway() -> Value {
    let mut schema = schema_of::<raw::gateway::Gateway>();
    let defaults = defaults::values();
    remove_required(&mut schema);
    for (section, schema) in properties_mut(&mut schema) {
        remove_required(schema);
        for (name, schema) in properties_mut(schema) {
            if let (Some(default), Value::Object(schema)) = (defaults[section].get(name), schema) {
                schema.insert("default".to_owned(), default.clone());
            }
        }
    }
    schema
}

/// The schema of `partners/<id>.toml`.
pub(crate) fn partner() -> Value {
    schema_of::<raw::partner::Partner>()
}

/// The part of a schema that describes a key; none where the schema knows no such key.
pub(crate) fn at<'a>(schema: &'a Value, names: &[String]) -> Option<&'a Value> {
    names.iter().try_fold(schema, |schema, name| {
        schema.get("properties").and_then(|it| it.get(name)).or_else(|| schema.get("items"))
    })
}

/// Draft 07 without references: the form that most editors understand.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    remove_null(&mut schema);
    schema
}

/// TOML has no null: an optional key is left out.
fn remove_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        Value::Object(object) => {
            object.values_mut().for_each(remove_null);
            if let Some(Value::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    let kind = kind.clone();
                    object.insert("type".to_owned(), kind);
                }
            }
            take_the_other(object);
        }
        _ => {}
    }
}

/// Replaces `anyOf: [something, null]` by something; the key's own description wins.
fn take_the_other(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("anyOf") else { return };
    let mut others = choices.iter().filter(|choice| choice["type"] != "null");
    let (Some(Value::Object(other)), None) = (others.next().cloned(), others.next()) else { return };
    object.remove("anyOf");
    for (name, value) in other {
        object.entry(name).or_insert(value);
    }
}

fn remove_required(schema: &mut Value) {
    if let Value::Object(object) = schema {
        object.shift_remove("required");
    }
}

fn properties_mut(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
}

fn printed(schema: &Value) -> String {
    format!("{schema:#}\n")
}
