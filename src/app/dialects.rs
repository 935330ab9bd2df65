//! The dialects, put together from their definitions and the code maps.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::profiles::{Definition, ProfileError, built_in};
use crate::fhir::resource::resource_type;
use crate::model::dialect::Dialect;
use crate::translation::codes::{CodeMap, CodeMaps};
use crate::translation::dialects::{DialectRules, DialectTerms, Dialects};

/// A code map and the folder below `profiles/` that it is in.
struct Map<'d> {
    folder: &'d Path,
    map: CodeMap,
}

/// Reads what the guides say and the code maps. A dialect whose definition has a fault is left out, and a code map
/// with a fault is.
pub(super) fn put_together(
    directory: Option<&Path>,
    definitions: &[Definition],
    problems: &mut Vec<ProfileError>,
    notes: &mut Vec<String>,
) -> Dialects {
    let maps = maps(definitions, problems, notes);
    let all = || maps.iter().map(|it| &it.map);
    let inside = |folder: &str| {
        let folder = Path::new(folder).to_owned();
        maps.iter().filter(move |it| it.folder == folder).map(|it| &it.map)
    };
    let states = CodeMaps::of(inside("states")).with_others(all());
    let mut dialects = Vec::new();
    for dialect in Dialect::ALL {
        match rules(directory, dialect) {
            Ok(rules) => {
                let folder = format!("dialects/{}", dialect.word());
                let terms = DialectTerms {
                    rules: Arc::new(rules),
                    to_clinic: CodeMaps::of(inside("clinic")).or_reversed(inside(&folder)).with_others(all()),
                    to_partner: CodeMaps::of(inside(&folder))
                        .or_reversed(inside("clinic"))
                        .with_others(all()),
                    states: states.clone(),
                };
                dialects.push((dialect, terms));
            }
            Err(problem) => problems.push(problem),
        }
    }
    dialects.into_iter().collect()
}

/// The clinic's definition of a dialect takes the place of the built-in one.
fn rules(directory: Option<&Path>, dialect: Dialect) -> Result<DialectRules, ProfileError> {
    let name = format!("dialects/{}/dialect.toml", dialect.word());
    let own = directory.map(|it| it.join(&name)).filter(|it| it.exists());
    let (file, text) = match own {
        Some(path) => {
            let file = path.display().to_string();
            let text = fs::read_to_string(&path);
            (file.clone(), text.map_err(|source| ProfileError::File { file, source })?)
        }
        None => (name.clone(), built_in(&name).to_owned()),
    };
    DialectRules::parse(&text).map_err(|fault| ProfileError::Dialect { file, fault })
}

fn maps<'d>(
    definitions: &'d [Definition],
    problems: &mut Vec<ProfileError>,
    notes: &mut Vec<String>,
) -> Vec<Map<'d>> {
    let mut maps = Vec::new();
    let mut files = Vec::new();
    for it in definitions.iter().filter(|it| resource_type(&it.content) == "ConceptMap") {
        match CodeMap::parse(&it.content) {
            Ok(map) => {
                notes.extend(map.notes.iter().map(|note| format!("{}: {note}", it.file)));
                maps.push(Map { folder: &it.folder, map });
                files.push(&it.file);
            }
            Err(faults) => {
                let file = &it.file;
                problems
                    .extend(faults.into_iter().map(|fault| ProfileError::Map { file: file.clone(), fault }));
            }
        }
    }
    let known: BTreeSet<&str> = maps.iter().map(|it| it.map.url.as_str()).collect();
    for (map, file) in maps.iter().zip(files) {
        let missing = map.map.other_maps().filter(|url| !known.contains(url));
        problems
            .extend(missing.map(|url| ProfileError::OtherMap { file: file.clone(), url: url.to_owned() }));
    }
    maps
}
