//! The structure of R4 resources as one JSON Schema, compiled once.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use super::definitions::Definitions;
use super::keyword;

mod primitives;
mod structure;

/// The schema of every type that we know, and the validator made of it.
///
/// One document and one compilation: compiling a schema per type costs a second and 200 MB.
pub(super) struct Schema {
    /// The document, in which the place of a violation is looked up.
    pub(super) document: Value,
    /// Its compiled form; it chooses the definition by `resourceType`.
    pub(super) validator: Validator,
}

/// R4's schema, compiled at first use.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::compile(document(Definitions::r4())));

impl Schema {
    /// Compiles a document of ours.
    pub(super) fn compile(document: Value) -> Self {
        let validator = options().build(&document).expect("the document is a JSON Schema");
        Self { document, validator }
    }
}

/// The types that an open element may have.
pub(super) fn open_types() -> impl Iterator<Item = &'static str> {
    structure::OPEN.into_iter()
}

/// How our schemas are compiled.
pub(super) fn options() -> jsonschema::ValidationOptions<'static> {
    let options = jsonschema::draft202012::options()
        // Patterns meet text from outside: an engine that never backtracks.
        .with_pattern_options(PatternOptions::regex());
    keyword::add(options)
}

/// The JSON form of these types (FHIR R4, JSON; JSON Schema 2020-12).
pub(super) fn document(definitions: &Definitions) -> Value {
    let names: Vec<&str> = definitions.resources().collect();
    let choose = names.iter().map(|name| {
        json!({
            "if": { "properties": { "resourceType": { "const": name } } },
            "then": { "$ref": format!("#/$defs/{name}") },
        })
    });
    let mut parts: Map<String, Value> = primitives::all();
    structure::add(definitions, &mut parts);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["resourceType"],
        "properties": { "resourceType": { "enum": names } },
        "allOf": choose.collect::<Vec<Value>>(),
        "$defs": parts,
    })
}
