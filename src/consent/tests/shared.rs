//! All shared cases, where their folder exists. They stay outside of this repository.

use std::path::PathBuf;

use serde_json::Value;

use crate::consent::case::decide_case;
use crate::consent::explain::explain;

fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/consent-cases");
    let folder = std::env::var_os("CONSENT_CASES").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[test]
fn every_shared_case_is_decided_as_expected() {
    let Some(folder) = folder() else {
        return;
    };
    let mut wrong = Vec::new();
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let decided = decide_case(&case).unwrap();
        if decided.decision != case["expected"] {
            let name = file.file_name().unwrap().to_string_lossy();
            wrong.push(format!("{name}: expected {}\n{}", case["expected"], explain(&decided.trace)));
        }
    }
    assert!(!files.is_empty(), "the folder has no cases");
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), files.len(), wrong.join("\n\n"));
}
