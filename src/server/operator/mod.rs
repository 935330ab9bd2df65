//! For the people who run the gateway: whether it lives, whether it is ready, and mending by hand. Listens
//! on an address of its own, loopback by default; there is no login.

mod explain;
mod metrics;
mod orders;
mod status;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::model::clock::Clock;
use crate::model::partner::Partners;
use crate::outbound::Outbound;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// What the operator's doors need.
#[derive(Clone)]
pub struct OperatorDoors {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The road out, to ask consent what it would say.
    pub outbound: Outbound,
    /// Every partner.
    pub partners: Arc<Partners>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Told when there is new work.
    pub work: Arc<Notify>,
    /// Whether the parts work.
    pub health: Arc<dyn Health>,
    /// What was counted.
    pub metrics: Arc<Metrics>,
}

/// Says which parts do not work.
pub trait Health: Send + Sync {
    /// The parts without which no referral can be taken; empty when all is well.
    fn not_ready(&self) -> Vec<&'static str>;

    /// The parts without which referrals are taken and wait.
    fn degraded(&self) -> Vec<&'static str>;

    /// The limits that are passed: no new referrals are taken, while repeats and reads are answered.
    fn shut(&self) -> Vec<&'static str>;
}

/// The operator's routes.
pub fn router(doors: OperatorDoors) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::metrics))
        .route("/admin/status", get(status::status))
        .route("/admin/deliveries/{id}/retry", post(orders::retry))
        .route("/admin/deliveries/{id}/cancel", post(orders::cancel))
        .route("/admin/replays", get(orders::replays).post(orders::replay))
        .route("/admin/replays/preview", post(orders::preview))
        .route("/admin/replays/{id}/stop", post(orders::stop))
        .route("/admin/endpoints", get(orders::endpoints))
        .route("/admin/endpoints/{endpoint}/pause", post(orders::pause))
        .route("/admin/endpoints/{endpoint}/resume", post(orders::resume))
        .route("/admin/consent/explain", post(explain::explain))
        .with_state(doors)
}

/// A clinic that is down is no reason to turn partners away: what they send is kept for it.
async fn ready(State(doors): State<OperatorDoors>) -> (StatusCode, Json<Value>) {
    let health = health(&doors);
    let status = if health["ready"] == true { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Value::Object(health)))
}

fn health(doors: &OperatorDoors) -> Map<String, Value> {
    let not_ready = doors.health.not_ready();
    let parts = [
        ("ready", json!(not_ready.is_empty())),
        ("not_ready", json!(not_ready)),
        ("degraded", json!(doors.health.degraded())),
        ("shut", json!(doors.health.shut())),
    ];
    parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
