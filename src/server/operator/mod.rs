//! For the people who run the gateway: whether it lives, whether it is ready, and mending by hand. Listens
//! on an address of its own, loopback by default; there is no login.

mod explain;
mod metrics;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::model::clock::Clock;
use crate::model::ids::DeliveryId;
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
        .route("/admin/deliveries/{id}/retry", post(retry))
        .route("/admin/consent/explain", post(explain::explain))
        .with_state(doors)
}

/// A clinic that is down is no reason to turn partners away: what they send is kept for it.
async fn ready(State(doors): State<OperatorDoors>) -> (StatusCode, Json<Value>) {
    let not_ready = doors.health.not_ready();
    let status = if not_ready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": not_ready.is_empty(),
        "not_ready": not_ready,
        "degraded": doors.health.degraded(),
        "shut": doors.health.shut(),
    });
    (status, Json(body))
}

/// Makes a delivery due now. It keeps its name at the other side, so it can still not double.
async fn retry(State(doors): State<OperatorDoors>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let Ok(id) = id.parse::<DeliveryId>() else {
        return (StatusCode::NOT_FOUND, Json(json!({ "error": "not a delivery id; it begins with dlv-" })));
    };
    match doors.store.retry(id, doors.clock.now()).await {
        Ok(true) => {
            doors.work.notify_one();
            (StatusCode::ACCEPTED, Json(json!({ "retrying": id.to_string() })))
        }
        Ok(false) => {
            let error =
                "no such delivery, or it is delivered, in flight, superseded or older than what was sent";
            (StatusCode::CONFLICT, Json(json!({ "error": error })))
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() }))),
    }
}
