//! The definitions inside the program, and those that the clinic adds.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use crate::consent::labels::lists::{ListsProblem, SensitivityLists};
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
    /// The list of sensitive codes is none.
    #[error("{file}: {problem}")]
    Lists {
        /// Which.
        file: String,
        /// Why.
        problem: ListsProblem,
    },
}

/// Codes in both directions.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// Partners' codes in the clinic's: `clinic/`.
    pub to_clinic: CodeMaps,
    /// The clinic's codes in those of partners of the plain dialect: `dialects/plain/`.
    pub to_partner: CodeMaps,
    /// Which codes are sensitive: `sensitivity/codes.json`. The clinic's list takes the place of ours, whole.
    pub lists: SensitivityLists,
}

/// Reads the built-in definitions and those of a folder that is laid out like `profiles/`. Of two with the
/// same `url`, the folder's counts.
pub fn load(directory: Option<&Path>) -> Result<Profiles, ProfileError> {
    Ok(Profiles {
        to_clinic: maps(directory, "clinic")?,
        to_partner: maps(directory, "dialects/plain")?,
        lists: lists(directory)?,
    })
}

fn lists(directory: Option<&Path>) -> Result<SensitivityLists, ProfileError> {
    let file = directory.map(|it| it.join("sensitivity/codes.json")).filter(|it| it.exists());
    let Some(file) = file else {
        return Ok(SensitivityLists::built_in());
    };
    let name = file.display().to_string();
    let text =
        fs::read_to_string(&file).map_err(|source| ProfileError::File { file: name.clone(), source })?;
    SensitivityLists::parse(&text).map_err(|problem| ProfileError::Lists { file: name, problem })
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

    /// A folder with a list of sensitive codes.
    fn with_list(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sensitivity")).unwrap();
        fs::write(folder.path().join("sensitivity/codes.json"), text).unwrap();
        folder
    }

    #[test]
    fn the_clinics_list_of_sensitive_codes_takes_the_place_of_the_built_in_one() {
        let folder = with_list(
            r#"{ "version": "clinic-1", "source": "the clinic", "rules": [
                { "sensitivity": "HIV", "systems": ["urn:clinic"], "codes": ["7"] }] }"#,
        );

        let lists = load(Some(folder.path())).unwrap().lists;

        assert_eq!(lists.version(), "clinic-1");
        assert_eq!(lists.of_code("urn:clinic", "7").collect::<Vec<_>>(), ["HIV"]);
        assert_eq!(lists.of_code("http://loinc.org", "44249-1").count(), 0);
        assert_ne!(load(None).unwrap().lists.version(), "clinic-1");
    }

    #[test]
    fn a_broken_list_of_sensitive_codes_is_no_profile() {
        for text in ["", "{}", r#"{"version":"1","source":"","rules":[{"sensitivity":"X","systems":[]}]}"#] {
            let error = load(Some(with_list(text).path())).unwrap_err();

            assert!(matches!(&error, ProfileError::Lists { file, .. } if file.ends_with("codes.json")));
        }
    }

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
