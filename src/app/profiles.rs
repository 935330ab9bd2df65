//! The definitions inside the program, and those that the clinic adds.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use crate::fhir::{json, resource};
use crate::translation::codes::CodeMaps;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/profiles");

/// A definition cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A folder or file cannot be read.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not JSON.
    #[error("{file} {problem}")]
    NotJson {
        /// Which.
        file: String,
        /// Why.
        problem: json::JsonError,
    },
}

/// Codes in both directions.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// Partners' codes in the clinic's: `clinic/`.
    pub to_clinic: CodeMaps,
    /// The clinic's codes in those of partners of the plain dialect: `dialects/plain/`.
    pub to_partner: CodeMaps,
}

/// Reads the built-in definitions and those of a folder that is laid out like `profiles/`. Of two with the
/// same `url`, the folder's counts.
pub fn load(directory: Option<&Path>) -> Result<Profiles, ProfileError> {
    Ok(Profiles { to_clinic: maps(directory, "clinic")?, to_partner: maps(directory, "dialects/plain")? })
}

fn maps(directory: Option<&Path>, folder: &str) -> Result<CodeMaps, ProfileError> {
    let mut definitions = built_in(folder)?;
    if let Some(directory) = directory {
        for added in read_folder(&directory.join(folder))? {
            definitions.retain(|it| it["url"] != added["url"]);
            definitions.push(added);
        }
    }
    Ok(CodeMaps::of(definitions.iter().filter(|it| resource::resource_type(it) == "ConceptMap")))
}

fn built_in(folder: &str) -> Result<Vec<Value>, ProfileError> {
    let files = BUILT_IN.get_dir(folder).into_iter().flat_map(Dir::files);
    files.map(|file| read(&file.path().display().to_string(), file.contents())).collect()
}

fn read_folder(folder: &Path) -> Result<Vec<Value>, ProfileError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let failed = |source| ProfileError::File { file: folder.display().to_string(), source };
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|it| it.path())).collect();
    let mut files: Vec<PathBuf> = entries
        .map_err(failed)?
        .into_iter()
        .filter(|it| it.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files.iter().map(|file| read_file(file)).collect()
}

fn read_file(file: &Path) -> Result<Value, ProfileError> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|source| ProfileError::File { file: name.clone(), source })?;
    read(&name, &bytes)
}

fn read(file: &str, bytes: &[u8]) -> Result<Value, ProfileError> {
    json::parse(bytes).map_err(|problem| ProfileError::NotJson { file: file.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_of_the_folder_takes_the_place_of_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("clinic");
        fs::create_dir(&place).unwrap();
        let map = serde_json::json!({
            "resourceType": "ConceptMap",
            "url": "https://referral-gateway.example/fhir/ConceptMap/reason-to-clinic",
            "group": [{ "source": "urn:a", "target": "urn:b", "element": [
                { "code": "1", "target": [{ "code": "one" }] }] }],
        });
        fs::write(place.join("map.json"), map.to_string()).unwrap();

        let profiles = load(Some(folder.path())).unwrap();

        let translated = |system: &str, code: &str| {
            let mut it = serde_json::json!({ "coding": [{ "system": system, "code": code }] });
            profiles.to_clinic.translate(&mut it);
            it["coding"].as_array().unwrap().len()
        };
        assert_eq!(translated("urn:a", "1"), 2);
        assert_eq!(translated("http://snomed.info/sct", "29857009"), 1);
    }
}
