//! One span and one line for each request; and the body of every refusal, which tells the request's id.
//! The line has the route's template, never the path or the query: those can hold identifiers.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use tracing::{Instrument, Span, field};

use super::Doors;
use super::refusal::Refusal;
use crate::fhir::client::FHIR_JSON;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::model::ids::RequestId;
use crate::model::partner::Partner;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a request inside its span, and logs how it ended.
pub async fn log_request(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(doors.clock.now()).to_string();
    let begun = doors.clock.now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        request.id = id,
        http.method = %request.method(),
        http.route = route,
        client.id = field::Empty,
        partner.id = field::Empty,
    );
    let caller = CallingPartner::default();
    request.extensions_mut().insert(caller.clone());
    async move {
        let mut response = next.run(request).await;
        let refusal = response.extensions_mut().remove::<Refusal>();
        if let Some(mut refusal) = refusal.or_else(|| bare_refusal(&response)) {
            if let Some(partner) = caller.0.get() {
                refusal.say_as_guide(|status, kind| doors.inbound.house.guides_code(partner, status, kind));
            }
            write_outcome(&mut response, &refusal, &id);
            refusal.issues.first().into_iter().for_each(|issue| doors.metrics.refused(issue.code));
        }
        let took_ms = doors.clock.now().duration_since(begun).as_millis();
        log_end(response.status(), took_ms);
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Which partner called, once that is known: a refusal is told in its guide's codes as well.
#[derive(Clone, Debug, Default)]
pub struct CallingPartner(pub Arc<OnceLock<Arc<Partner>>>);

/// Says who called, in the line of the request.
pub fn note_caller(client_id: &str, partner_id: Option<&str>) {
    let span = Span::current();
    span.record("client.id", client_id);
    if let Some(partner_id) = partner_id {
        span.record("partner.id", partner_id);
    }
}

fn write_outcome(response: &mut Response, refusal: &Refusal, id: &str) {
    tracing::info!(http.status = refusal.status.as_u16(), reason = refusal.log, "refused");
    *response.body_mut() = Body::from(refusal.body(id).to_string());
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
}

/// An error answer that no code of ours made.
fn bare_refusal(response: &Response) -> Option<Refusal> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_ours = response.headers().contains_key(CONTENT_TYPE);
    let text = "The request cannot be understood. Check its address and headers.";
    (is_error && !is_ours)
        .then(|| Refusal::new(status, Issue::error(IssueKind::Structure, "SEND_REQUEST", text)))
}

fn log_end(status: StatusCode, took_ms: i128) {
    let took_ms = i64::try_from(took_ms).unwrap_or(i64::MAX);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(http.status = status.as_u16(), took_ms, "request failed");
    } else {
        tracing::info!(http.status = status.as_u16(), took_ms, "request answered");
    }
}
