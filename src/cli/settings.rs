//! Where the settings are, and how their problems are shown: the same for every command.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::{say, tell};
use crate::config::environment::ProcessEnvironment;
use crate::config::problem::Problem;
use crate::config::{self, Loaded};

/// Where the settings are.
#[derive(Args, Clone, Debug)]
pub struct SettingsFolder {
    /// The folder with gateway.toml and partners/.
    #[arg(long = "config", value_name = "DIR", default_value = "config")]
    pub folder: PathBuf,
}

impl SettingsFolder {
    /// Reads and checks the settings.
    pub fn load(&self) -> Loaded {
        config::load(&self.folder, &ProcessEnvironment)
    }
}

/// Shows problems to people, on the standard error stream.
pub fn show(problems: &[Problem]) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for problem in problems {
        tell(&if colour { problem.to_coloured_text() } else { problem.to_text() });
    }
}

/// Writes problems for programs, one JSON object a line.
pub fn show_json(problems: &[Problem]) {
    for problem in problems {
        say(&problem.to_json());
    }
}
