//! The values of keys that a `gateway.toml` leaves out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::document::Document;

/// The manual of settings, which is also the list of defaults.
const MANUAL: &str = include_str!("../../config/gateway.toml");

/// The defaults, as JSON.
pub(crate) fn values() -> Value {
    let file = PathBuf::from("config/gateway.toml");
    match Document::parse(file, MANUAL.to_owned(), &BTreeMap::new()) {
        Ok((_, values)) => values.json,
        Err(_) => unreachable!("the manual of settings is TOML, as a test shows"),
    }
}

/// Puts what a file says over the defaults. Keys of a section are replaced one by one; a value that is a
/// table itself, such as `[clinic.auth]`, is replaced whole, because its keys belong together.
pub(crate) fn overlay(file: Value) -> Value {
    let mut all = values();
    let Value::Object(sections) = file else { return all };
    for (section, values) in sections {
        let Value::Object(values) = values else { continue };
        for (name, value) in values {
            all[&section][name] = value;
        }
    }
    all
}
