//! House rules that the compiler cannot see: who may import whom, how long a file may be, what may appear
//! where. A new folder without a row here fails: a new folder is a decision, not an accident.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom. The order of the rows is the order in which the house stands.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("fhir", &[]),
    // What is counted is named by the states of the model.
    ("telemetry", &["model"]),
    ("config", &["model"]),
    ("auth", &["model", "fhir"]),
    ("consent", &["model", "fhir"]),
    ("audit", &["model", "fhir"]),
    ("translation", &["model", "fhir"]),
    ("validation", &["fhir"]),
    ("store", &["model"]),
    // Consent is pure, so both roads may read it: the road in tells a sender of a Consent that can only hold.
    ("inbound", &["model", "fhir", "validation", "translation", "consent", "store"]),
    ("outbound", &["model", "fhir", "validation", "translation", "consent", "audit", "store"]),
    // Roads return the FHIR client's failure; the worker alone knows patience, and judges it.
    ("worker", &["model", "fhir", "store", "telemetry"]),
    // The operator's doors read and mend the ledger; `$consent-check` tells a decision in words; worker and
    // doors count what happens there.
    ("server", &["model", "fhir", "auth", "consent", "inbound", "outbound", "store", "telemetry"]),
    ("sandbox", &["model", "fhir"]),
    (
        "app",
        &[
            "model",
            "fhir",
            "auth",
            "config",
            "consent",
            "store",
            "validation",
            "translation",
            "inbound",
            "outbound",
            "worker",
            "server",
            "telemetry",
        ],
    ),
    // `preview` walks the road in without a gateway; `deliveries` reads the ledger of one that may run.
    // `profiles` shows what validation knows, and `preview` prints what became of each value.
    (
        "cli",
        &[
            "app",
            "config",
            "consent",
            "model",
            "fhir",
            "validation",
            "translation",
            "inbound",
            "store",
            "sandbox",
            "telemetry",
        ],
    ),
];

/// Lines of a file, its tests left out.
const LONGEST_FILE: usize = 300;

/// Folders and files directly in `src/`.
const MOST_ROOMS: usize = 18;

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "common", "manager", "service", "types"];

/// What may appear in which places only: SQL with the ledger, HTTP requests with the client, and so on.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["src/store/sqlite"]),
    ("sqlx", &["src/store/postgres"]),
    ("reqwest", &["src/fhir/client", "src/auth/obtain", "src/auth/fetch", "src/sandbox", "src/app/parts.rs"]),
    ("StatusCode::", &["src/server", "src/sandbox", "src/auth"]),
    ("println!", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("dbg!", &[]),
    ("#[allow", &[]),
    ("#![allow", &[]),
];

#[test]
fn every_module_imports_only_what_its_row_allows() {
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        let Some(allowed) = row(&room) else {
            continue;
        };
        for imported in imports(&code_of(&file)) {
            if imported != room && !allowed.contains(&imported.as_str()) {
                wrong.push(format!("{}: {room} may not import {imported}", file.display()));
            }
        }
    }

    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_folder_of_the_house_has_a_row_and_every_row_a_folder() {
    let rooms: BTreeSet<String> = sources().iter().map(|file| room_of(file)).collect();
    let rooms: BTreeSet<&str> =
        rooms.iter().map(String::as_str).filter(|room| !matches!(*room, "main" | "lib")).collect();
    let rows: BTreeSet<&str> = MAY_IMPORT.iter().map(|(room, _)| *room).collect();

    assert_eq!(rooms, rows);
    assert!(rooms.len() <= MOST_ROOMS, "{} rooms are too many", rooms.len());
}

#[test]
fn nobody_can_reach_itself_through_its_imports() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut standing: BTreeSet<&str> = BTreeSet::new();

    for (room, needs) in MAY_IMPORT {
        let missing: Vec<&&str> = needs.iter().filter(|it| !standing.contains(**it)).collect();
        assert!(missing.is_empty(), "{room} stands on {missing:?}, which come later in the table");
        assert!(table.contains_key(room));
        standing.insert(room);
    }
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for file in sources() {
        let lines = code_of(&file).lines().count();
        if lines > LONGEST_FILE {
            long.push(format!("{}: {lines} lines", file.display()));
        }
    }

    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn names_say_what_is_inside() {
    let empty: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|file| {
            let names = file.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned());
            names.into_iter().any(|name| EMPTY_NAMES.contains(&name.as_str()))
        })
        .collect();

    assert_eq!(empty, Vec::<PathBuf>::new());
}

#[test]
fn what_belongs_to_one_place_is_in_no_other() {
    let mut wrong = Vec::new();
    for file in sources() {
        let code = without_comments(&code_of(&file));
        for (word, places) in ONLY_IN {
            let allowed = places.iter().any(|place| file.starts_with(place));
            if code.contains(word) && !allowed {
                wrong.push(format!("{}: `{word}` belongs in {places:?}", file.display()));
            }
        }
    }

    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_module_gives_out_another_modules_items() {
    let mut wrong = Vec::new();
    for file in sources() {
        for line in code_of(&file).lines().filter(|line| line.trim_start().starts_with("pub use crate::")) {
            wrong.push(format!("{}: {line}", file.display()));
        }
    }

    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut silent = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && line.contains('=') && !line.contains('#') {
            silent.push(line.to_owned());
        }
    }

    assert_eq!(silent, Vec::<String>::new());
}

fn row(room: &str) -> Option<&'static [&'static str]> {
    MAY_IMPORT.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files of `src/`, tests left out, as paths from the root.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    let relative = found.iter().map(|file| file.strip_prefix(root()).unwrap().to_owned());
    relative.filter(|file| !is_test(file)).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// The first folder or file below `src/`.
fn room_of(file: &Path) -> String {
    let room = file.iter().nth(1).unwrap().to_string_lossy();
    room.trim_end_matches(".rs").to_owned()
}

/// The file without its test module, which stands at the end.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

fn without_comments(code: &str) -> String {
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that a file names as `crate::room`.
fn imports(code: &str) -> BTreeSet<String> {
    let named = code.split("crate::").skip(1);
    named
        .map(|rest| rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}
