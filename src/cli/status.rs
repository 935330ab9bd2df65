//! `status`: what is waiting, why, since when, and what can be done. Reads the ledger beside a gateway that may
//! be running, and asks the gateway whether it takes referrals.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::settings::SettingsFolder;
use super::{failed, say};
use crate::fhir::client::http_client;
use crate::fhir::json;
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::status::{Server, Status, Waiting};

/// How long the gateway may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is waiting, why, since when, and what can be done.
#[derive(Args, Debug)]
pub struct StatusCommand {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    /// Shows it. Exit code 0, whatever waits.
    pub async fn run(self) -> ExitCode {
        self.show().await.unwrap_or_else(|code| code)
    }

    async fn show(self) -> Result<ExitCode, ExitCode> {
        let address = self.settings.config()?.server.operator_listen.to_string();
        let store = self.settings.ledger().await?;
        let figures = store.figures().await.map_err(failed)?;
        let servers = store.endpoints().await.map_err(failed)?;
        let (status, health) = (Status::of(&figures, &servers, SystemClock.now()), health(&address).await);
        if self.json {
            let mut shown = json!(status);
            shown["gateway"] = health.unwrap_or(Value::Null);
            say(&shown.to_string());
        } else {
            say(&gateway_line(&address, health.as_ref()));
            say(&ledger_line(&status));
            status.servers.iter().for_each(tell_server);
            status.waiting.iter().for_each(tell_waiting);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What `/readyz` says; none: nobody answers there.
async fn health(address: &str) -> Option<Value> {
    let asked = http_client().get(format!("http://{address}/readyz")).timeout(PATIENCE).send().await.ok()?;
    json::parse(&asked.bytes().await.ok()?).ok()
}

fn gateway_line(address: &str, health: Option<&Value>) -> String {
    let Some(health) = health else {
        return format!("No gateway answers at {address}: nothing moves. Start it with `serve`.");
    };
    let words = |name: &str| -> Vec<&str> {
        health[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let told = [
        ("not ready", words("not_ready")),
        ("no new referrals are taken", words("shut")),
        ("degraded", words("degraded")),
    ];
    let told = told.iter().filter(|(_, why)| !why.is_empty());
    let told: Vec<String> = told.map(|(what, why)| format!("{what}: {}", why.join(", "))).collect();
    match told.as_slice() {
        [] => "The gateway is well.".to_owned(),
        _ => format!("The gateway answers; {}.", told.join("; ")),
    }
}

fn ledger_line(status: &Status) -> String {
    let waiting: u64 = status.waiting.iter().map(|it| it.count).sum();
    let gap = match status.conservation_gap {
        0 => String::new(),
        gap => format!(" THE COUNT IS OFF BY {gap}: stop the gateway and keep a copy of the ledger."),
    };
    format!("{} deliveries recorded: {} at their end, {waiting} not.{gap}", status.recorded, status.ended)
}

fn tell_server(server: &Server) {
    let since = server.since.as_ref().map(|at| format!(", since {at}")).unwrap_or_default();
    let next = server.next_attempt.as_ref().map(|at| format!(", asked again at {at}")).unwrap_or_default();
    say("");
    let why = server.why.as_deref().unwrap_or("-");
    say(&format!("The server of {} is {}: {why}{since}{next}", server.endpoint, server.state));
    say(&format!("  {}", server.advice));
}

fn tell_waiting(waiting: &Waiting) {
    let next =
        waiting.next_attempt.as_ref().map_or("no attempt by itself".to_owned(), |at| format!("next at {at}"));
    say("");
    say(&format!(
        "{}  {}  {}  {} since {}, {next}",
        waiting.endpoint,
        waiting.state,
        waiting.reason.as_deref().unwrap_or("-"),
        waiting.count,
        waiting.oldest_since,
    ));
    say(&format!("  {}", waiting.advice));
}
