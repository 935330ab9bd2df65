//! The structure of R4 resources as one compiled JSON Schema.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::choice;
use crate::fhir::json;

/// The schema of every type that we know, and the validator made of it.
///
/// One document and one compilation: compiling a schema per type costs a second and 200 MB.
pub(super) struct Schema {
    /// The document, in which the place of a violation is looked up.
    pub(super) document: Value,
    /// Its compiled form; it chooses the definition by `resourceType`.
    pub(super) validator: Validator,
    types: Vec<String>,
}

/// The embedded schema, compiled at first use.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::compile);

const DOCUMENT: &str = include_str!("../../profiles/structure/r4.schema.json");

impl Schema {
    fn compile() -> Self {
        let document = json::parse(DOCUMENT.as_bytes()).expect("the embedded schema is JSON");
        let validator = jsonschema::draft202012::options()
            // Patterns meet text from outside: an engine that never backtracks.
            .with_pattern_options(PatternOptions::regex())
            .with_keyword(choice::KEYWORD, choice::compile)
            .build(&document)
            .expect("the embedded schema is a JSON Schema");
        let listed = document["properties"]["resourceType"]["enum"].as_array().into_iter().flatten();
        let types = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        Self { document, validator, types }
    }

    /// Whether resources of this type can be checked.
    pub(super) fn knows(&self, resource_type: &str) -> bool {
        self.types.iter().any(|it| it == resource_type)
    }
}
