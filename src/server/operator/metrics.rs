//! `GET /metrics`, for a program that watches.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::OperatorDoors;
use crate::telemetry::gauges;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counters, and the ledger's figures as they are now. A ledger that cannot be read is a figure as well: the
/// counters are told all the same.
pub(super) async fn metrics(State(doors): State<OperatorDoors>) -> Response {
    let figures = doors.store.figures().await.ok();
    let measured = gauges::of_ledger(figures.as_ref(), doors.clock.now());
    match doors.metrics.text(&measured) {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
