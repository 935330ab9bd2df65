//! The shipped folder `config/` is complete, correct and in step with the types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{Folder, summary};
use crate::config::schema::{self, schema_files};
use crate::config::{defaults, load};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

#[test]
fn the_shipped_folder_has_no_problem() {
    let loaded = load(&shipped(), &BTreeMap::new());

    assert_eq!(summary(&loaded.problems), "");
    assert_eq!(loaded.config.unwrap().partners.len(), 1);
}

#[test]
fn an_empty_file_gives_what_the_manual_says() {
    let mut shipped = load(&shipped(), &BTreeMap::new()).config.unwrap();
    shipped.partners.clear();

    let empty = Folder::with_gateway("").config();

    assert_eq!(format!("{empty:?}"), format!("{shipped:?}"));
}

#[test]
fn the_committed_schemas_are_in_step_with_the_types() {
    for (name, content) in schema_files() {
        let file = shipped().join("schema").join(name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::write(&file, &content).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == content,
            "config/schema/{name} is out of date: run `referral-gateway config schema`"
        );
    }
}

#[test]
fn every_key_has_a_description() {
    for schema in [schema::gateway(), schema::partner()] {
        for (key, schema) in keys_of(&schema, "") {
            assert!(schema["description"].is_string(), "{key}");
        }
    }
}

#[test]
fn the_manual_shows_every_key_and_no_other() {
    let manual = fs::read_to_string(shipped().join("gateway.toml")).unwrap();
    let partner = fs::read_to_string(shipped().join("partners/lakeside.toml")).unwrap();

    assert_eq!(shown_in(&manual), leaves_of(&schema::gateway()));
    assert_eq!(shown_in(&partner), leaves_of(&schema::partner()));
}

#[test]
fn an_editor_finds_the_schema_from_the_first_line() {
    for file in ["gateway.toml", "partners/lakeside.toml"] {
        let text = fs::read_to_string(shipped().join(file)).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        assert!(shipped().join(file).parent().unwrap().join(schema).exists(), "{file}");
    }
}

#[test]
fn defaults_stand_in_the_schema() {
    let schema = schema::gateway();

    assert_eq!(schema.pointer("/properties/delivery/properties/workers/default"), Some(&Value::from(16)));
    assert_eq!(schema["required"], Value::Null);
    assert!(defaults::values().is_object());
}

/// Every key of a schema, with its own schema.
fn keys_of<'a>(schema: &'a Value, around: &str) -> Vec<(String, &'a Value)> {
    let mut keys = Vec::new();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let key = format!("{around}{name}");
        keys.extend(keys_of(inner, &format!("{key}.")));
        keys.push((key, inner));
    }
    keys
}

fn leaves_of(schema: &Value) -> BTreeSet<String> {
    let leaves = keys_of(schema, "").into_iter().filter(|(_, schema)| schema["properties"].is_null());
    leaves.map(|(key, _)| key).collect()
}

/// Every key of a TOML text, also those in comments.
fn shown_in(text: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((name, value)) = line.split_once(" = ")
            && name.chars().all(|it| it.is_ascii_lowercase() || it == '_')
        {
            match value.strip_prefix("{ system") {
                Some(_) => {
                    keys.extend(["system", "value"].map(|inner| format!("{section}{name}.{inner}")));
                }
                None => {
                    keys.insert(format!("{section}{name}"));
                }
            }
        }
    }
    keys
}
