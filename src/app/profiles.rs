//! The definitions inside the program, and those that the clinic adds.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::dialects;
use crate::consent::labels::lists::{ListsProblem, SensitivityLists};
use crate::fhir::json;
use crate::translation::codes::MapFault;
use crate::translation::dialects::{DialectFault, Dialects};
use crate::validation::ProfileLibrary;

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
    /// A code map is not one.
    #[error("{file}: {fault}")]
    Map {
        /// Which.
        file: String,
        /// Where and why.
        fault: MapFault,
    },
    /// A code map leads to one that is not here.
    #[error("{file}: the map leads to {url}, which is not here")]
    OtherMap {
        /// Which.
        file: String,
        /// The map that is missing.
        url: String,
    },
    /// The definition of a dialect cannot be used.
    #[error("{file}, {fault}")]
    Dialect {
        /// Which.
        file: String,
        /// Where and why.
        fault: DialectFault,
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

/// What the definitions say.
#[derive(Debug)]
pub struct Profiles {
    /// What the guides say, and the codes of those who follow them: `dialects/`, `clinic/`, `states/`.
    pub dialects: Dialects,
    /// What resources must look like: the StructureDefinitions, ValueSets and CodeSystems of every folder.
    pub library: ProfileLibrary,
    /// Files of the clinic's folder that cannot be used. What needs them is left out; the rest counts.
    pub problems: Vec<ProfileError>,
    /// What is told of the rest by `check`, though it can be used.
    pub notes: Vec<String>,
    /// Which codes are sensitive: `sensitivity/codes.json`. The clinic's list takes the place of ours, whole.
    pub lists: SensitivityLists,
}

/// Reads the built-in definitions and those of a folder that is laid out like `profiles/`. Of two with the
/// same `url`, the folder's counts.
pub fn load(directory: Option<&Path>) -> Result<Profiles, ProfileError> {
    let lists = lists(directory)?;
    let mut problems = Vec::new();
    let mut definitions = definitions_in(&BUILT_IN, &mut problems);
    if let Some(directory) = directory {
        for added in read_folder(directory, directory, &mut problems) {
            definitions.retain(|it| it.content["url"] != added.content["url"]);
            definitions.push(added);
        }
    }
    let mut notes = Vec::new();
    let dialects = dialects::put_together(directory, &definitions, &mut problems, &mut notes);
    let all: Vec<Value> = definitions.into_iter().map(|it| it.content).collect();
    Ok(Profiles { dialects, library: ProfileLibrary::compile(&all), problems, notes, lists })
}

/// A definition, and the folder below `profiles/` that it is in.
pub(super) struct Definition {
    pub(super) folder: PathBuf,
    pub(super) file: String,
    pub(super) content: Value,
}

/// The text of a built-in file.
pub(super) fn built_in(path: &str) -> &'static str {
    BUILT_IN.get_file(path).and_then(|it| it.contents_utf8()).unwrap_or_default()
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

/// The definitions inside the program.
fn definitions_in(folder: &Dir<'_>, problems: &mut Vec<ProfileError>) -> Vec<Definition> {
    let mut found: Vec<Definition> = folder.dirs().flat_map(|it| definitions_in(it, problems)).collect();
    for file in folder.files().filter(|it| is_definition(it.path())) {
        let name = file.path().display().to_string();
        match read(&name, file.contents()) {
            Ok(content) => {
                found.push(Definition { folder: folder.path().to_owned(), file: name, content });
            }
            Err(problem) => problems.push(problem),
        }
    }
    found
}

/// Every definition below a folder, in the order of the names.
fn read_folder(root: &Path, folder: &Path, problems: &mut Vec<ProfileError>) -> Vec<Definition> {
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(read_folder(root, &path, problems));
        } else if is_definition(&path) {
            let inside = folder.strip_prefix(root).unwrap_or(folder).to_owned();
            match read_file(&path) {
                Ok(content) => {
                    let file = path.display().to_string();
                    found.push(Definition { folder: inside, file, content });
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    found
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ProfileError> {
    let failed = |source| ProfileError::File { file: folder.display().to_string(), source };
    let entries = fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|it| it.path()));
    let mut entries = entries.collect::<Result<Vec<PathBuf>, _>>().map_err(failed)?;
    entries.sort();
    Ok(entries)
}

/// Whether a file holds a definition of FHIR's; the lists of sensitive codes have a form of their own.
fn is_definition(path: &Path) -> bool {
    let in_lists = path.parent().is_some_and(|it| it.ends_with("sensitivity"));
    !in_lists && path.extension().is_some_and(|it| it == "json")
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
    use crate::model::dialect::Dialect;

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
                { "code": "1", "target": [{ "code": "one", "equivalence": "equal" }] }] }],
        });
        fs::write(place.join("map.json"), map.to_string()).unwrap();

        let profiles = load(Some(folder.path())).unwrap();

        let translated = |system: &str, code: &str| {
            let mut it = serde_json::json!({ "coding": [{ "system": system, "code": code }] });
            profiles.dialects.of(Dialect::Plain).unwrap().to_clinic.translate(&mut it);
            it["coding"].as_array().unwrap().len()
        };
        assert_eq!(translated("urn:a", "1"), 2);
        assert_eq!(translated("http://snomed.info/sct", "29857009"), 1);
    }
}
