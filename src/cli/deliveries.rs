//! `deliveries`: what is owed, and where it stands. Listing reads the ledger beside a running gateway;
//! retrying asks the gateway itself.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::orders::{Order, order, state};
use super::replay::Replay;
use super::settings::SettingsFolder;
use super::{fail, failed, say};
use crate::model::delivery::{Delivery, DeliveryState, Owed};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::store::{AttemptRecord, DeliveryFilter};

/// What is owed, and where it stands.
#[derive(Debug, Subcommand)]
pub enum Deliveries {
    /// List deliveries, newest first.
    List(List),
    /// Show one delivery and its attempts.
    Show(Show),
    /// Try a dead, quarantined, held or waiting delivery now. The gateway must be running.
    Retry(Retry),
    /// Decide that a delivery is not to be done. The gateway must be running.
    Cancel(Cancel),
    /// Try many again, by state, server, reason or time, so many in a minute. The gateway must be running.
    Replay(Replay),
}

/// Which deliveries.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Only this state; may be given several times: queued, in-flight, retry-wait, unknown-wait, held,
    /// delivered, dead, quarantined, superseded, in-inbox, cancelled.
    #[arg(long, value_parser = state)]
    state: Vec<DeliveryState>,
    /// Only this partner's.
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Only this referral's.
    #[arg(long, value_name = "ref-…")]
    referral: Option<ReferralId>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Which delivery.
#[derive(Args, Debug)]
pub struct Show {
    /// Its id.
    #[arg(value_name = "dlv-…")]
    id: DeliveryId,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

/// Which delivery.
#[derive(Args, Debug)]
pub struct Retry {
    /// Its id.
    #[arg(value_name = "dlv-…")]
    id: DeliveryId,
    #[command(flatten)]
    settings: SettingsFolder,
}

/// Which delivery, and why.
#[derive(Args, Debug)]
pub struct Cancel {
    /// Its id.
    #[arg(value_name = "dlv-…")]
    id: DeliveryId,
    #[command(flatten)]
    settings: SettingsFolder,
    #[command(flatten)]
    order: Order,
}

impl Deliveries {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Retry(retry) => retry.run().await,
            Self::Cancel(cancel) => cancel.run().await,
            Self::Replay(replay) => replay.run().await,
        };
        // Either way an exit code; an early one has told its reason.
        ended.unwrap_or_else(|code| code)
    }
}

impl List {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let filter = DeliveryFilter {
            states: self.state,
            partner: self.partner.map(PartnerId::new),
            referral: self.referral,
            limit: self.limit,
        };
        for delivery in &store.deliveries(filter).await.map_err(failed)? {
            say(&if self.json { as_json(delivery).to_string() } else { as_line(delivery) });
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let found = store.delivery(self.id).await.map_err(failed)?;
        let delivery = found.ok_or_else(|| fail(&format!("there is no delivery {}", self.id)))?;
        let attempts = store.attempts(self.id).await.map_err(failed)?;
        let mut shown = as_json(&delivery);
        shown["attempts"] = json!(attempts.iter().map(attempt_json).collect::<Vec<Value>>());
        let text = if self.json { Ok(shown.to_string()) } else { serde_json::to_string_pretty(&shown) };
        say(&text.unwrap_or_default());
        Ok(ExitCode::SUCCESS)
    }
}

impl Retry {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let id = self.id;
        let outcome = format!("{id} is due now; `deliveries show {id}` tells what becomes of it.");
        order(&self.settings, &format!("/admin/deliveries/{id}/retry"), None, &outcome).await
    }
}

impl Cancel {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let id = self.id;
        let outcome = format!("{id} is cancelled: it is not sent any more. What waited behind it goes on.");
        let path = format!("/admin/deliveries/{id}/cancel");
        order(&self.settings, &path, Some(&self.order.as_json()), &outcome).await
    }
}

fn what(delivery: &Delivery) -> String {
    match &delivery.task {
        Owed::Forward => "referral to the clinic".to_owned(),
        Owed::Reply(id, kind) => format!("{} {id} to the clinic", kind.word()),
        Owed::Deliver(update) => update.resource.to_string(),
    }
}

fn as_line(delivery: &Delivery) -> String {
    format!(
        "{}  {:<12}  {:<12}  {}  {:<34}  {}",
        delivery.id,
        delivery.state.word(),
        delivery.partner,
        delivery.referral,
        what(delivery),
        delivery.reason.as_deref().unwrap_or("-"),
    )
}

fn as_json(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id.to_string(),
        "state": delivery.state.word(),
        "partner": delivery.partner.as_str(),
        "referral": delivery.referral.to_string(),
        "what": what(delivery),
        "reason": delivery.reason,
        "failed_attempts": delivery.attempts,
        "created": delivery.created.to_string(),
        "due": delivery.due.to_string(),
    })
}

fn attempt_json(attempt: &AttemptRecord) -> Value {
    json!({
        "started": attempt.started.to_string(),
        "ended": attempt.ended.map(|it| it.to_string()),
        "outcome": attempt.outcome,
        "http_status": attempt.http_status,
        "decision": attempt.decision,
        "consents": attempt.consents,
    })
}
