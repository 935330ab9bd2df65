//! `keys`: our own keys, which others read at `/.well-known/jwks.json`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::settings::SettingsFolder;
use super::{failed, say};
use crate::app::own_keys::{self, OwnKey};
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::partner::SigningAlgorithm;

/// Our own keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List them: which signs, which is next, which goes.
    List(List),
    /// Make the next key: it is published now, signs after keys.overlap_h, and the one before goes as long after that.
    Rotate(Rotate),
}

/// Which settings.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
}

/// Which key, and when.
#[derive(Args, Debug)]
pub struct Rotate {
    /// RS384, ES384, RS256 or ES256.
    #[arg(long, value_name = "ALG", default_value = "RS384", value_parser = algorithm)]
    algorithm: SigningAlgorithm,
    /// Change over now, because somebody else may have the key: it is no longer published.
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    settings: SettingsFolder,
}

impl Keys {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(list) => list.run(),
            Self::Rotate(rotate) => rotate.run(),
        };
        ended.unwrap_or_else(|code| code)
    }
}

impl List {
    fn run(self) -> Result<ExitCode, ExitCode> {
        let config = self.settings.config()?;
        let keys = own_keys::list(&config, SystemClock.now()).map_err(failed)?;
        for key in &keys {
            say(&line(key));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Rotate {
    fn run(self) -> Result<ExitCode, ExitCode> {
        let config = self.settings.config()?;
        let now = SystemClock.now();
        let added = own_keys::rotate(&config, self.algorithm, self.at_once, now).map_err(failed)?;
        let jwks = config.server.address("/.well-known/jwks.json");
        let OwnKey { key_id, signs, .. } = &added;
        say(&if added.is_signing {
            format!("{key_id} is made and signs at once. Others read it at {jwks} within seconds.")
        } else {
            format!("{key_id} is made and published at {jwks} within seconds. It signs from {signs} on.")
        });
        Ok(ExitCode::SUCCESS)
    }
}

fn line(key: &OwnKey) -> String {
    let state = match (key.is_signing, key.is_published) {
        (true, _) => format!("signs since {}", key.signs),
        (false, true) if key.ends.is_none() => format!("next: signs from {} on", key.signs),
        (false, true) => "no longer signs".to_owned(),
        (false, false) => "gone; the next change destroys it".to_owned(),
    };
    let ends = key.ends.map(|it| format!(", published until {it}")).unwrap_or_default();
    format!("{:<28}  {}  published since {}, {state}{ends}", key.key_id, key.algorithm, key.published)
}

fn algorithm(word: &str) -> Result<SigningAlgorithm, String> {
    use SigningAlgorithm::{Es256, Es384, Rs256, Rs384};
    let all = [Rs384, Es384, Rs256, Es256];
    let found = all.into_iter().find(|it| it.name().eq_ignore_ascii_case(word));
    found.ok_or_else(|| "one of RS384, ES384, RS256 and ES256".to_owned())
}
