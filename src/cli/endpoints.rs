//! `endpoints`: the servers that we write to, and leaving one alone for a while. The gateway must be running.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::orders::{List, Order, order};
use super::settings::SettingsFolder;

/// The servers that we write to.
#[derive(Debug, Subcommand)]
pub enum Endpoints {
    /// List them: how each is, why, since when, until when, and what waits for it.
    List(List),
    /// Make no attempt at a server until `resume`; what is owed to it waits. Takes effect at once.
    Pause(Named),
    /// Make attempts again, whatever had stopped them.
    Resume(Named),
}

/// Which server.
#[derive(Args, Debug)]
pub struct Named {
    /// A partner's id, or @clinic.
    #[arg(value_name = "ID")]
    endpoint: String,
    #[command(flatten)]
    settings: SettingsFolder,
    #[command(flatten)]
    order: Order,
}

impl Endpoints {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(list) => list.run("endpoints", line).await,
            Self::Pause(named) => {
                let outcome = format!(
                    "No attempt is made at {0} until `endpoints resume {0}`; what is owed to it waits.",
                    named.endpoint
                );
                named.run("pause", &outcome).await
            }
            Self::Resume(named) => {
                let outcome = format!("Attempts at {} are made again.", named.endpoint);
                named.run("resume", &outcome).await
            }
        };
        ended.unwrap_or_else(|code| code)
    }
}

impl Named {
    async fn run(self, what: &str, outcome: &str) -> Result<ExitCode, ExitCode> {
        let path = format!("/admin/endpoints/{}/{what}", self.endpoint);
        order(&self.settings, &path, Some(&self.order.as_json()), outcome).await
    }
}

fn line(endpoint: &Value) -> String {
    let word = |key: &str| endpoint[key].as_str().unwrap_or("-").to_owned();
    let why = endpoint["paused"]["why"].as_str().filter(|it| !it.is_empty());
    let kinds = endpoint["suspended_kinds"].as_array().into_iter().flatten();
    let not_taken: Vec<String> = kinds
        .map(|it| {
            let (kind, since) = (it["kind"].as_str(), it["since"].as_str());
            format!(", does not take {} since {}", kind.unwrap_or("-"), since.unwrap_or("-"))
        })
        .collect();
    format!(
        "{:<16}  {:<10}  {:<14}  since {:<24}  until {:<24}  {} waiting, {} in flight{}",
        word("endpoint"),
        word("state"),
        why.map_or_else(|| word("why"), str::to_owned),
        word("since"),
        word("until"),
        endpoint["waiting"],
        endpoint["in_flight"],
        not_taken.concat(),
    )
}
