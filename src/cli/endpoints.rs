//! `endpoints`: the servers that we write to, and leaving one alone for a while. The gateway must be running.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use super::orders::{Order, ask, order};
use super::say;
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

/// How to list.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
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
            Self::List(list) => list.run().await,
            Self::Pause(named) => named.run("pause").await,
            Self::Resume(named) => named.run("resume").await,
        };
        ended.unwrap_or_else(|code| code)
    }
}

impl List {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let answer = ask(&self.settings, Method::GET, "/admin/endpoints", None).await?;
        for endpoint in answer["endpoints"].as_array().into_iter().flatten() {
            say(&if self.json { endpoint.to_string() } else { line(endpoint) });
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Named {
    async fn run(self, what: &str) -> Result<ExitCode, ExitCode> {
        let path = format!("/admin/endpoints/{}/{what}", self.endpoint);
        order(&self.settings, &path, Some(&self.order.as_json())).await
    }
}

fn line(endpoint: &Value) -> String {
    let word = |key: &str| endpoint[key].as_str().unwrap_or("-").to_owned();
    let why = endpoint["paused"]["why"].as_str().filter(|it| !it.is_empty());
    format!(
        "{:<16}  {:<10}  {:<14}  since {:<24}  until {:<24}  {} waiting, {} in flight",
        word("endpoint"),
        word("state"),
        why.map_or_else(|| word("why"), str::to_owned),
        word("since"),
        word("until"),
        endpoint["waiting"],
        endpoint["in_flight"],
    )
}
