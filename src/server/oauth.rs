//! The token endpoint, and where clients learn of it. These answer as OAuth 2.0 demands, not as FHIR does.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};

use super::Doors;
use super::extract::{authorization, read_body};
use super::listen::Peer;
use super::refusal::whole_seconds;
use super::request_log::note_caller;
use crate::auth::keys::published::KEPT_S;
use crate::auth::verify::{TokenRequest, smart_configuration as discovery};
use crate::model::client::CallLimit;

/// The largest token request, in bytes: an assertion has some two thousand.
const LARGEST_FORM: usize = 65_536;

/// `POST /oauth2/token` (RFC 6749 §4.4, SMART Backend Services).
pub async fn token(State(doors): State<Doors>, request: Request) -> Response {
    let headers = request.headers();
    let (content_type, authorization) = (headers.get(CONTENT_TYPE).cloned(), authorization(headers));
    let from = request.extensions().get::<Peer>().map(|it| it.0.to_string()).unwrap_or_default();
    let limit = doors.limits.max_body_bytes.min(LARGEST_FORM);
    let body = match read_body(request, limit, doors.limits.body_timeout).await {
        Ok(body) => body.to_vec(),
        Err(refusal) => return (refusal.status, Json(json!({ "error": "invalid_request" }))).into_response(),
    };
    let request = TokenRequest { content_type, authorization, body };
    // Before any proof is looked at, which is what costs. Who only claims to be a client uses up the share of
    // that client at its own address.
    let claimed = doors.token_service.claimed_client(&request).unwrap_or_default();
    if let Err(wait) = doors.admission.tokens.take(&format!("{from} {claimed}")) {
        return too_often(wait);
    }
    match doors.token_service.issue(request).await {
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

/// RFC 6749 knows no word for it; the status says it (RFC 6585 §4).
fn too_often(wait: Duration) -> Response {
    let body = json!({
        "error": "temporarily_unavailable",
        "error_description": "Tokens are asked for too often. Keep a token until it expires.",
    });
    let retry_after = [(RETRY_AFTER, whole_seconds(wait).to_string())];
    (StatusCode::TOO_MANY_REQUESTS, retry_after, Json(body)).into_response()
}

/// `GET /fhir/.well-known/smart-configuration` (SMART App Launch 2.2, discovery).
pub async fn smart_configuration(
    State(doors): State<Doors>,
) -> ([(http::HeaderName, &'static str); 1], Json<Value>) {
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(discovery(&doors.addresses)))
}

/// `GET /.well-known/jwks.json`: the public halves of the keys with which we sign at others' servers (RFC 7517 §5).
pub async fn own_keys(State(doors): State<Doors>) -> Response {
    let kept = format!("public, max-age={KEPT_S}");
    ([(CACHE_CONTROL, kept)], Json(doors.own_keys.document())).into_response()
}
