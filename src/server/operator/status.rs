//! `GET /admin/status`: what is waiting, why, since when, and what can be done.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::{OperatorDoors, health};
use crate::model::status::Status;
use crate::model::work::StoreError;

/// The ledger's answer, and whether the parts work.
pub(super) async fn status(State(doors): State<OperatorDoors>) -> (StatusCode, Json<Value>) {
    match ask(&doors).await {
        Ok(status) => {
            let mut answer = health(&doors);
            if let Value::Object(ledger) = json!(status) {
                answer.extend(ledger);
            }
            (StatusCode::OK, Json(Value::Object(answer)))
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() }))),
    }
}

async fn ask(doors: &OperatorDoors) -> Result<Status, StoreError> {
    let (figures, servers) = (doors.store.figures().await?, doors.store.endpoints().await?);
    Ok(Status::of(&figures, &servers, doors.clock.now()))
}
