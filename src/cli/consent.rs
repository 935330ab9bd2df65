//! `consent`: what consent says, and why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json as object;

use super::explain::Explain;
use super::lint::Lint;
use super::{fail, say, tell};
use crate::consent::case::decide_case;
use crate::fhir::json;

/// What consent says, and why.
#[derive(Debug, Subcommand)]
pub enum Consent {
    /// Decide every case of a folder; one JSON line for each.
    Decide {
        /// The folder of case files, JSON.
        #[arg(long, value_name = "DIR")]
        cases: PathBuf,
    },
    /// Tell why an update was or was not sent, or what consent would say of a resource.
    Explain(Explain),
    /// Tell what is wrong with Consents. Exit code 1 if one can only hold what it may speak of.
    Lint(Lint),
}

impl Consent {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        match self {
            Self::Decide { cases } => decide_all(&cases),
            Self::Explain(explain) => explain.run().await,
            Self::Lint(lint) => lint.run(),
        }
    }
}

fn decide_all(cases: &Path) -> ExitCode {
    let files = match case_files(cases) {
        Ok(files) => files,
        Err(error) => return fail(&format!("{} cannot be read: {error}", cases.display())),
    };
    let undecided = files.iter().filter(|file| !decide(file)).count();
    if undecided > 0 {
        return fail(&format!("{undecided} of {} cases could not be decided", files.len()));
    }
    ExitCode::SUCCESS
}

fn case_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect();
    let mut files = entries?;
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    Ok(files)
}

/// Prints the decision; or says why there is none.
fn decide(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let decided = fs::read(file)
        .map_err(|error| error.to_string())
        .and_then(|bytes| json::parse(&bytes).map_err(|error| format!("it {error}")))
        .and_then(|case| decide_case(&case).map_err(|problem| problem.to_string()));
    match decided {
        Ok(decided) => {
            let line = object!({ "file": name, "name": decided.name, "decision": decided.decision });
            say(&line.to_string());
            true
        }
        Err(reason) => {
            tell(&format!("{name}: {reason}"));
            false
        }
    }
}
