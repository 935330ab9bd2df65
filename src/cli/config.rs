//! `config`: the settings themselves.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{fail, say};
use crate::config::schema::schema_files;

/// The settings themselves.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Write the JSON Schemas of the settings, for editors.
    Schema {
        /// The folder to write to.
        #[arg(long, value_name = "DIR", default_value = "config/schema")]
        to: PathBuf,
    },
}

impl Config {
    /// Writes what was asked for.
    pub fn run(self) -> ExitCode {
        let Self::Schema { to } = self;
        if let Err(error) = fs::create_dir_all(&to) {
            return fail(&format!("{} cannot be made: {error}", to.display()));
        }
        for (name, content) in schema_files() {
            let file = to.join(name);
            if let Err(error) = fs::write(&file, content) {
                return fail(&format!("{} cannot be written: {error}", file.display()));
            }
            say(&file.display().to_string());
        }
        ExitCode::SUCCESS
    }
}
