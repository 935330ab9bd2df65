//! `partners`: who may connect, and why one cannot.

use std::io::{self, Read as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::settings::{self, SettingsFolder};
use super::{fail, findings, say};
use crate::app::handshake::{self, Shown};
use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::model::client::ClientCredential;
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::partner::{OutboundMode, Partner};

/// Who may connect, and why one cannot.
#[derive(Debug, Subcommand)]
pub enum Partners {
    /// List them: id, client id, how they prove who they are, and where updates go.
    List(List),
    /// Try everything with one: its keys, an assertion of its, our token there, its server. Changes nothing. Exit
    /// code 0 when all is well.
    Test(Test),
}

/// Which settings.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
}

/// Which partner.
#[derive(Args, Debug)]
pub struct Test {
    /// The partner's id.
    #[arg(value_name = "ID")]
    partner: String,
    /// A file with an assertion that the partner sent, or - for the standard input.
    #[arg(long, value_name = "FILE")]
    assertion: Option<String>,
    /// When it came, such as 2026-03-10T15:00:00Z; left out: now.
    #[arg(long, value_name = "TIME", requires = "assertion")]
    at: Option<Timestamp>,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Partners {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(it) => it.settings.config().map(|it| list(&it)),
            Self::Test(test) => test.run().await,
        };
        ended.unwrap_or_else(|code| code)
    }
}

impl Test {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let loaded = self.settings.load();
        // What is wrong with this partner's file is the answer; the others' is not asked for.
        let own = |it: &&Problem| it.file.file_stem().is_some_and(|stem| stem == self.partner.as_str());
        let Some(config) = &loaded.config else { return self.settings.config().map(|_| ExitCode::FAILURE) };
        settings::show(&loaded.problems.iter().filter(own).cloned().collect::<Vec<_>>());
        let Some(partner) = config.partners.iter().find(|it| it.id.as_str() == self.partner) else {
            let ids: Vec<&str> = config.partners.iter().map(|it| it.id.as_str()).collect();
            return Err(fail(&format!(
                "no partner that can be used has this id; there are: {}",
                ids.join(", ")
            )));
        };
        let shown = match &self.assertion {
            Some(from) => Some(Shown { assertion: read(from)?, at: self.at.unwrap_or_else(now) }),
            None => None,
        };
        let found = handshake::with_partner(config, partner, shown.as_ref(), now).await;
        Ok(findings::show(&found, self.json))
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn read(from: &str) -> Result<String, ExitCode> {
    let mut text = String::new();
    let read = match from {
        "-" => io::stdin().read_to_string(&mut text).map(|_| text),
        file => std::fs::read_to_string(file),
    };
    read.map_err(|error| fail(&format!("the assertion cannot be read: {error}")))
}

fn list(config: &Config) -> ExitCode {
    config.partners.iter().for_each(|it| say(&line(it)));
    ExitCode::SUCCESS
}

fn line(partner: &Partner) -> String {
    let proof = match &partner.client.credential {
        ClientCredential::Secret(_) => "secret".to_owned(),
        ClientCredential::Keys(_) => "keys in a file".to_owned(),
        ClientCredential::KeysAt(address) => format!("keys at {}", address.url),
    };
    let updates = match &partner.outbound.mode {
        OutboundMode::Rest(endpoint) => format!("rest to {}", endpoint.base_url),
        OutboundMode::Message(endpoint) => format!("messages to {}", endpoint.base_url),
        OutboundMode::Inbox => "inbox".to_owned(),
    };
    format!(
        "{:<16}  {}, client {}, {proof}; updates: {updates}",
        partner.id.as_str(),
        partner.name,
        partner.client.client_id
    )
}
