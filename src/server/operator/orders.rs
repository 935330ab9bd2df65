//! What operators order: a delivery again or not at all, many again, a server left alone or used again.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::OperatorDoors;
use crate::model::delivery::{CLINIC, DeliveryState};
use crate::model::endpoint::{EndpointReport, Opening};
use crate::model::ids::{DeliveryId, PartnerId, ReplayId};
use crate::model::replay::{NewReplay, ReplayFilter};
use crate::model::work::StoreError;

type Answer = (StatusCode, Json<Value>);

/// Who orders it, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    by: String,
    #[serde(default)]
    why: String,
}

/// Makes a delivery due now. It keeps its name at the other side, so it can still not double.
pub(super) async fn retry(State(doors): State<OperatorDoors>, Path(id): Path<String>) -> Answer {
    let Ok(id) = id.parse::<DeliveryId>() else {
        return no_delivery_id();
    };
    let retried = doors.store.retry(id, doors.clock.now()).await;
    doors.work.notify_one();
    match retried {
        Ok(false) => why_not(&doors, id, "tried again").await,
        known => done(known, StatusCode::ACCEPTED, json!({ "retrying": id }), ""),
    }
}

/// Decides that a delivery is not to be done. What waited behind it may go.
pub(super) async fn cancel(
    State(doors): State<OperatorDoors>,
    Path(id): Path<String>,
    Json(order): Json<Order>,
) -> Answer {
    let Ok(id) = id.parse::<DeliveryId>() else {
        return no_delivery_id();
    };
    let cancelled = doors.store.cancel(id, &order.by, &order.why, doors.clock.now()).await;
    doors.work.notify_one();
    match cancelled {
        Ok(false) => why_not(&doors, id, "cancelled").await,
        known => done(known, StatusCode::OK, json!({ "cancelled": id }), ""),
    }
}

/// What a replay with this filter would send.
pub(super) async fn preview(State(doors): State<OperatorDoors>, Json(filter): Json<ReplayFilter>) -> Answer {
    if let Some(refusal) = unknown_server(&doors, &filter).await {
        return refusal;
    }
    match doors.store.preview_replay(filter).await {
        Ok(groups) => (StatusCode::OK, Json(json!({ "would_replay": groups }))),
        Err(error) => unavailable(&error),
    }
}

/// Orders a replay.
pub(super) async fn replay(State(doors): State<OperatorDoors>, Json(new): Json<NewReplay>) -> Answer {
    if let Some(refusal) = unknown_server(&doors, &new.filter).await {
        return refusal;
    }
    match doors.store.begin_replay(new, doors.clock.now()).await {
        Ok(id) => (StatusCode::ACCEPTED, Json(json!({ "replay": id }))),
        Err(error) => unavailable(&error),
    }
}

/// All replays.
pub(super) async fn replays(State(doors): State<OperatorDoors>) -> Answer {
    match doors.store.replays().await {
        Ok(replays) => (StatusCode::OK, Json(json!({ "replays": replays }))),
        Err(error) => unavailable(&error),
    }
}

/// Stops a replay where it is.
pub(super) async fn stop(State(doors): State<OperatorDoors>, Path(id): Path<String>) -> Answer {
    let Ok(id) = id.parse::<ReplayId>() else {
        return (StatusCode::NOT_FOUND, Json(json!({ "error": "not a replay's id; it begins with rpl-" })));
    };
    let stopped = doors.store.stop_replay(id).await;
    let refusal = format!("no replay {id} runs: it is done or stopped, or there never was one");
    done(stopped, StatusCode::OK, json!({ "stopped": id }), &refusal)
}

/// Every server that something was ever owed to, and how it is.
pub(super) async fn endpoints(State(doors): State<OperatorDoors>) -> Answer {
    match doors.store.endpoints().await {
        Ok(reports) => {
            let shown: Vec<Value> = reports.iter().map(|it| shown(it, &doors)).collect();
            (StatusCode::OK, Json(json!({ "endpoints": shown })))
        }
        Err(error) => unavailable(&error),
    }
}

fn shown(report: &EndpointReport, doors: &OperatorDoors) -> Value {
    let now = doors.clock.now();
    let suspended = report.state.suspended_kinds().iter();
    let suspended: Vec<Value> = suspended.map(|it| json!({ "kind": it.kind, "since": it.since })).collect();
    json!({
        "endpoint": report.endpoint,
        "state": report.state.word(now),
        "why": report.state.why().map(Opening::code),
        "since": report.state.since(now),
        "until": report.state.until(now),
        "paused": report.state.paused(),
        "suspended_kinds": suspended,
        "waiting": report.waiting,
        "in_flight": report.in_flight,
    })
}

/// Stops all attempts at a server, from the next one on.
pub(super) async fn pause(
    State(doors): State<OperatorDoors>,
    Path(endpoint): Path<String>,
    Json(order): Json<Order>,
) -> Answer {
    let paused = doors.store.pause(&endpoint, &order.by, &order.why, doors.clock.now());
    about_server(&doors, &endpoint, "paused", paused).await
}

/// Lets attempts at a server go on.
pub(super) async fn resume(
    State(doors): State<OperatorDoors>,
    Path(endpoint): Path<String>,
    Json(order): Json<Order>,
) -> Answer {
    let resumed = doors.store.resume(&endpoint, &order.by, doors.clock.now());
    about_server(&doors, &endpoint, "resumed", resumed).await
}

/// Follows an order about a server, if there is such a one.
async fn about_server(
    doors: &OperatorDoors,
    endpoint: &str,
    told: &str,
    order: impl Future<Output = Result<(), StoreError>>,
) -> Answer {
    if !is_known(doors, endpoint) {
        return no_endpoint();
    }
    let followed = order.await;
    doors.work.notify_one();
    done(followed.map(|()| true), StatusCode::OK, json!({ told: endpoint }), "")
}

/// The answer to an order: done, refused, or not known because the ledger did not answer.
fn done(result: Result<bool, StoreError>, status: StatusCode, told: Value, refusal: &str) -> Answer {
    match result {
        Ok(true) => (status, Json(told)),
        Ok(false) => refused(refusal),
        Err(error) => unavailable(&error),
    }
}

fn is_known(doors: &OperatorDoors, endpoint: &str) -> bool {
    endpoint == CLINIC || doors.partners.all().any(|it| it.id.as_str() == endpoint)
}

/// A filter that names what nothing was ever owed to: more likely a slip than an order for nothing. A partner
/// that has left the settings may still be owed something.
async fn unknown_server(doors: &OperatorDoors, filter: &ReplayFilter) -> Option<Answer> {
    let partner = filter.partner.as_ref().map(PartnerId::as_str);
    let mut strangers = filter.endpoint.as_deref().into_iter().chain(partner);
    let stranger = strangers.find(|it| !is_known(doors, it))?;
    match doors.store.endpoints().await {
        Ok(known) if known.iter().any(|it| it.endpoint == stranger) => None,
        Ok(_) => Some(no_endpoint()),
        Err(error) => Some(unavailable(&error)),
    }
}

/// Why an order about one delivery cannot be followed.
async fn why_not(doors: &OperatorDoors, id: DeliveryId, done: &str) -> Answer {
    match doors.store.delivery(id).await {
        Ok(None) => refused(&format!("there is no delivery {id}")),
        Ok(Some(it)) if it.state == DeliveryState::InFlight => {
            refused(&format!("{id} is in flight: ask again when its attempt has ended"))
        }
        Ok(Some(it)) if matches!(it.state, DeliveryState::Dead | DeliveryState::Quarantined) => {
            refused(&format!("{id} cannot be {done}: something newer of the same resource was sent"))
        }
        Ok(Some(it)) => refused(&format!("{id} cannot be {done}: it is {}", it.state.word())),
        Err(error) => unavailable(&error),
    }
}

fn no_endpoint() -> Answer {
    let error = "there is no such server: name a partner's id, or @clinic";
    (StatusCode::NOT_FOUND, Json(json!({ "error": error })))
}

fn refused(error: &str) -> Answer {
    (StatusCode::CONFLICT, Json(json!({ "error": error })))
}

fn no_delivery_id() -> Answer {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not a delivery id; it begins with dlv-" })))
}

fn unavailable(error: &StoreError) -> Answer {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() })))
}
