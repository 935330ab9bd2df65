//! `GET /admin/status`: what is waiting, why, since when, and what can be done.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::{OperatorDoors, health};
use crate::model::status::Status;

/// The ledger's answer, and whether the parts work.
pub(super) async fn status(State(doors): State<OperatorDoors>) -> (StatusCode, Json<Value>) {
    let figures = match doors.store.figures().await {
        Ok(figures) => figures,
        Err(error) => {
            return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() })));
        }
    };
    let mut answer = health(&doors);
    if let Value::Object(ledger) = json!(Status::of(&figures)) {
        answer.extend(ledger);
    }
    (StatusCode::OK, Json(Value::Object(answer)))
}
