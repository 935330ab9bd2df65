//! `check`: every mistake in the settings at once.

use std::process::ExitCode;

use clap::Args;

use super::settings::{self, SettingsFolder};
use super::{EXIT_CONFIG, findings, say};
use crate::app::{handshake, preflight};
use crate::config::Loaded;
use crate::model::clock::{Clock as _, SystemClock};

/// Report every mistake in the settings.
#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Then try everything with the clinic and each partner: their keys, our token there, their server, its clock and
    /// certificate. Changes nothing.
    #[arg(long)]
    online: bool,
}

impl Check {
    /// Exit code 0, or 78 when there is a mistake; 1 when with one of them something does not work.
    pub async fn run(self) -> ExitCode {
        let Loaded { config, problems } = self.settings.load();
        if self.json {
            settings::show_json(&problems);
        } else {
            settings::show(&problems);
        }
        let unusable = config.as_ref().map_or_else(Vec::new, preflight::unusable);
        for reason in &unusable {
            super::tell(&format!("error: {reason}"));
        }
        for note in config.as_ref().map_or_else(Vec::new, preflight::notes) {
            super::tell(&format!("note: {note}"));
        }
        if !problems.is_empty() || !unusable.is_empty() {
            return ExitCode::from(EXIT_CONFIG);
        }
        let Some(config) = config else { return ExitCode::SUCCESS };
        if !self.json {
            say(&format!("The settings are good: {} partners.", config.partners.len()));
        }
        if !self.online {
            return ExitCode::SUCCESS;
        }
        findings::show(&handshake::with_everybody(&config, || SystemClock.now()).await, self.json)
    }
}
