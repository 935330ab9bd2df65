//! Settings: read, checked, and every mistake told at once with its file, line, column and remedy.
//!
//! A file goes through three stages: `document` turns TOML into values that know their places,
//! `structure` compares them with the JSON Schema that is generated from `raw`, and `check` looks at
//! what a schema cannot say. The manual of all keys is `config/gateway.toml`.

pub mod environment;
pub mod problem;
pub mod schema;
pub mod settings;

mod check;
mod defaults;
mod document;
mod findings;
mod key;
mod load;
mod mask;
mod nearest;
mod raw;
mod structure;

use std::path::Path;

use environment::Environment;
use problem::Problem;
use settings::Config;

/// What a folder of settings holds.
#[derive(Debug)]
pub struct Loaded {
    /// The settings; none when `gateway.toml` has a mistake. A partner whose file has one is not in it.
    pub config: Option<Config>,
    /// All mistakes: those of `gateway.toml` first, then those of the partners by file name.
    pub problems: Vec<Problem>,
}

/// Reads `gateway.toml` and `partners/*.toml` in a folder, and the files that they name.
pub fn load(directory: &Path, environment: &dyn Environment) -> Loaded {
    let gateway = load::gateway(directory, environment);
    let partners = load::partners(directory, environment, &gateway);
    let mut problems = gateway.problems;
    problems.extend(partners.problems);
    let config = gateway.config.map(|config| Config { partners: partners.partners, ..config });
    Loaded { config, problems }
}

#[cfg(test)]
mod tests;
