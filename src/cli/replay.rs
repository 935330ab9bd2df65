//! `deliveries replay`: many deliveries again, some at a time. The gateway must be running; it goes on with the
//! order after a restart.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::orders::{List, Order, ask, order};
use super::say;
use super::settings::SettingsFolder;
use crate::model::delivery::DeliveryState;
use crate::model::ids::{DeliveryId, PartnerId, ReplayId};
use crate::model::replay::{NewReplay, REPLAYABLE, ReplayFilter};

/// Which deliveries, and how fast.
#[derive(Args, Debug)]
pub struct Replay {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Only this one.
    #[arg(long, value_name = "dlv-…")]
    id: Option<DeliveryId>,
    /// Only this state; may be given several times: dead (the default), quarantined, retry-wait, unknown-wait,
    /// held.
    #[arg(long, value_parser = replayable)]
    state: Vec<DeliveryState>,
    /// Only to this server: @clinic or a partner's id.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Only this partner's.
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Only what stands there for this reason, such as status.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only what was recorded from this instant on, such as 2026-03-10T15:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Only what was recorded before this instant.
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// So many in a minute.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    per_minute: u32,
    /// Only tell what would be sent.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    order: Order,
}

impl Replay {
    pub(super) async fn run(self) -> Result<ExitCode, ExitCode> {
        let filter = ReplayFilter {
            delivery: self.id,
            states: self.state,
            endpoint: self.endpoint,
            partner: self.partner.map(PartnerId::new),
            reason: self.reason,
            from: self.from,
            until: self.until,
        };
        if self.dry_run {
            let answer =
                ask(&self.settings, Method::POST, "/admin/replays/preview", Some(&json!(filter))).await?;
            tell_groups(&answer);
            return Ok(ExitCode::SUCCESS);
        }
        let Order { by, why } = self.order;
        let new = NewReplay { filter, per_minute: self.per_minute, by, why };
        let answer = ask(&self.settings, Method::POST, "/admin/replays", Some(&json!(new))).await?;
        let id = answer["replay"].as_str().unwrap_or_default();
        say(&format!("{id} runs; `replays list` tells how far it is, `replays stop {id}` stops it."));
        Ok(ExitCode::SUCCESS)
    }
}

fn replayable(word: &str) -> Result<DeliveryState, String> {
    let found = REPLAYABLE.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| {
        format!("only what is {} can be sent again", REPLAYABLE.map(DeliveryState::word).join(", "))
    })
}

fn tell_groups(answer: &Value) {
    let groups: Vec<&Value> = answer["would_replay"].as_array().into_iter().flatten().collect();
    let total: u64 = groups.iter().filter_map(|it| it["count"].as_u64()).sum();
    for group in groups {
        let word = |key: &str| group[key].as_str().unwrap_or("-").to_owned();
        say(&format!(
            "{:>8}  {:<16}  {:<12}  {}",
            group["count"],
            word("endpoint"),
            word("state"),
            word("reason")
        ));
    }
    say(&format!("{total:>8}  in all; nothing was changed"));
}

/// Replays that were ordered.
#[derive(Debug, Subcommand)]
pub enum Replays {
    /// List them, newest first: how far each is.
    List(List),
    /// Stop one where it is.
    Stop(Stop),
}

/// Which.
#[derive(Args, Debug)]
pub struct Stop {
    /// Its id.
    #[arg(value_name = "rpl-…")]
    id: ReplayId,
    #[command(flatten)]
    settings: SettingsFolder,
}

impl Replays {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(list) => list.run("replays", line).await,
            Self::Stop(Stop { id, settings }) => {
                let outcome = format!("{id} is stopped; what it had not reached stays as it is.");
                order(&settings, &format!("/admin/replays/{id}/stop"), None, &outcome).await
            }
        };
        ended.unwrap_or_else(|code| code)
    }
}

fn line(replay: &Value) -> String {
    let word = |key: &str| replay[key].as_str().unwrap_or("-").to_owned();
    format!(
        "{}  {:<7}  {} made due, {} passed over, {} a minute  asked {} by {}: {}",
        word("id"),
        word("state"),
        replay["replayed"],
        replay["passed_over"],
        replay["per_minute"],
        word("asked"),
        word("by"),
        word("why"),
    )
}
