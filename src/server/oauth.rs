//! The token endpoint, and where clients learn of it. These answer as OAuth 2.0 demands, not as FHIR does.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use serde_json::{Value, json};

use super::Doors;
use super::extract::{authorization, read_body};
use super::request_log::note_caller;
use crate::auth::verify::{TokenRequest, smart_configuration as discovery};

/// `POST /oauth2/token` (RFC 6749 §4.4, SMART Backend Services).
pub async fn token(State(doors): State<Doors>, request: Request) -> Response {
    let headers = request.headers();
    let (content_type, authorization) = (headers.get(CONTENT_TYPE).cloned(), authorization(headers));
    let body = match read_body(request, &doors).await {
        Ok(body) => body.to_vec(),
        Err(refusal) => return (refusal.status, Json(json!({ "error": "invalid_request" }))).into_response(),
    };
    match doors.token_service.issue(TokenRequest { content_type, authorization, body }).await {
        Ok(issued) => {
            note_caller(&issued.client_id, None);
            tracing::info!(scopes = %issued.scopes, "access token issued");
            (issued.headers(), Json(issued.body())).into_response()
        }
        Err(refused) => {
            tracing::warn!(error = refused.error(), reason = %refused.log_reason(), "access token refused");
            (refused.status(), refused.headers(), Json(refused.body())).into_response()
        }
    }
}

/// `GET /fhir/.well-known/smart-configuration` (SMART App Launch 2.2, discovery).
pub async fn smart_configuration(
    State(doors): State<Doors>,
) -> ([(http::HeaderName, &'static str); 1], Json<Value>) {
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(discovery(&doors.addresses)))
}
