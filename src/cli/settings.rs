//! Where the settings are, and how their problems are shown: the same for every command.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::{EXIT_CONFIG, fail, say, tell};
use crate::app::ledger;
use crate::config::environment::ProcessEnvironment;
use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::config::{self, Loaded};
use crate::store::Store;

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

    /// The settings, or the exit code after their problems were shown.
    pub fn config(&self) -> Result<Config, ExitCode> {
        let loaded = self.load();
        loaded.config.ok_or_else(|| {
            show(&loaded.problems);
            ExitCode::from(EXIT_CONFIG)
        })
    }

    /// The ledger of these settings, for reading beside a gateway that may be running; or the exit code after
    /// the reason was shown.
    pub async fn ledger(&self) -> Result<Arc<dyn Store>, ExitCode> {
        let config = self.config()?;
        ledger::open_read_only(&config.store).await.map_err(|error| fail(&error.to_string()))
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
