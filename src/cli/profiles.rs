//! `profiles`: what resources must look like.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{fail, say};
use crate::fhir::json;
use crate::validation::definitions::generate;

/// What resources must look like.
#[derive(Debug, Subcommand)]
pub enum Profiles {
    /// Print the table of FHIR R4's types anew, from the published definitions. For this gateway's developers.
    Table {
        /// The folder with `profiles-types.json`, `profiles-resources.json`, `valuesets.json` and
        /// `v3-codesystems.json` of FHIR R4.
        #[arg(value_name = "DIR")]
        definitions: PathBuf,
    },
}

const DEFINITIONS: [&str; 4] =
    ["profiles-types.json", "profiles-resources.json", "valuesets.json", "v3-codesystems.json"];

impl Profiles {
    /// Prints what was asked for.
    pub fn run(self) -> ExitCode {
        let Self::Table { definitions } = self;
        let mut bundles = Vec::new();
        for name in DEFINITIONS {
            let file = definitions.join(name);
            let bytes = match fs::read(&file) {
                Ok(bytes) => bytes,
                Err(error) => return fail(&format!("{} cannot be read: {error}", file.display())),
            };
            match json::parse(&bytes) {
                Ok(bundle) => bundles.push(bundle),
                Err(error) => return fail(&format!("{} {error}", file.display())),
            }
        }
        say(generate::table(&bundles).trim_end());
        ExitCode::SUCCESS
    }
}
