//! What a handler asks for in its arguments has been checked.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;

use super::Doors;
use super::refusal::Refusal;
use super::request_log::{CallingPartner, note_caller};
use crate::auth::scope::Interaction;
use crate::auth::verify::Caller;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::model::client::{CallLimit, ClientRole};
use crate::model::fhir_version::FhirVersion;
use crate::model::partner::Partner;

/// The EHR of a partner, proven by its access token. A handler that has one knows whose data it may show.
#[derive(Clone, Debug)]
pub struct AuthenticatedPartner {
    /// The partner.
    pub partner: Arc<Partner>,
    caller: Caller,
}

impl AuthenticatedPartner {
    /// Refuses what the token's scopes do not cover.
    pub fn must(&self, interaction: Interaction, resource_type: &str) -> Result<(), Refusal> {
        if self.caller.may(interaction, resource_type) { Ok(()) } else { Err(Refusal::forbidden()) }
    }
}

impl FromRequestParts<Doors> for AuthenticatedPartner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        let caller = caller(parts, doors)?;
        let partner = match &caller.role {
            ClientRole::Partner(id) => doors.partners.get(id).cloned(),
            ClientRole::Clinic => None,
        };
        note_caller(&caller.client_id, partner.as_ref().map(|it| it.id.as_str()));
        may_call_now(&caller, doors)?;
        let partner = partner.ok_or_else(Refusal::forbidden)?;
        if let Some(caller) = parts.extensions.get::<CallingPartner>() {
            // Asked for twice in one request, it is the same partner.
            let _ = caller.0.set(Arc::clone(&partner));
        }
        must_speak(&parts.headers, partner.fhir_version)?;
        Ok(Self { partner, caller })
    }
}

/// The clinic's own EHR, proven by its access token.
#[derive(Clone, Debug)]
pub struct AuthenticatedClinic {
    caller: Caller,
}

impl AuthenticatedClinic {
    /// Refuses what the token's scopes do not cover.
    pub fn must(&self, interaction: Interaction, resource_type: &str) -> Result<(), Refusal> {
        if self.caller.may(interaction, resource_type) { Ok(()) } else { Err(Refusal::forbidden()) }
    }
}

impl FromRequestParts<Doors> for AuthenticatedClinic {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        let caller = caller(parts, doors)?;
        note_caller(&caller.client_id, None);
        may_call_now(&caller, doors)?;
        match caller.role {
            ClientRole::Clinic => {
                must_speak(&parts.headers, FhirVersion::R4)?;
                Ok(Self { caller })
            }
            ClientRole::Partner(_) => Err(Refusal::forbidden()),
        }
    }
}

/// Whose token it is, of those who can read what we answer.
fn caller(parts: &Parts, doors: &Doors) -> Result<Caller, Refusal> {
    let header = authorization(&parts.headers);
    Ok(doors.access_tokens.verify(header.as_ref().map(|it| it.to_str().unwrap_or_default()))?)
}

/// Whether a request is in the version of FHIR that was agreed on, and takes an answer in it.
fn must_speak(headers: &HeaderMap, version: FhirVersion) -> Result<(), Refusal> {
    must_accept_json(headers, version)?;
    let said = parameter(text(headers, CONTENT_TYPE), "fhirversion");
    if said.is_none_or(|it| it == version.short()) {
        return Ok(());
    }
    let text = format!(
        "What you send is FHIR {agreed}, as was agreed. Say `fhirVersion={agreed}` in `Content-Type`, or leave the \
         parameter out.",
        agreed = version.short()
    );
    Err(unsupported(text))
}

fn unsupported(text: impl Into<String>) -> Refusal {
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Issue::error(IssueKind::NotSupported, "SEND_CONTENT_TYPE", text),
    )
}

/// The version of FHIR that a caller speaks, where its token tells who it is; otherwise R4.
pub fn version_of(headers: &HeaderMap, doors: &Doors) -> FhirVersion {
    let header = authorization(headers);
    let token = header.as_ref().map(|it| it.to_str().unwrap_or_default());
    match doors.access_tokens.verify(token).map(|it| it.role) {
        Ok(ClientRole::Partner(id)) => doors.partners.get(&id).map(|it| it.fhir_version).unwrap_or_default(),
        _ => FhirVersion::R4,
    }
}

/// Whether a client calls no more often than it may.
fn may_call_now(caller: &Caller, doors: &Doors) -> Result<(), Refusal> {
    doors.admission.clients.take(&caller.client_id).map_err(Refusal::too_often)
}

/// What stands in `Authorization`. Two of them read as an empty one: nobody may choose between two callers.
pub fn authorization(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let first = all.next()?;
    Some(if all.next().is_none() { first.clone() } else { HeaderValue::from_static("") })
}

/// A body that says it is FHIR JSON, within the limits of size and time.
pub struct FhirBody {
    /// The bytes as they came.
    pub bytes: Bytes,
    /// Its place among all bodies, kept until the request is done with.
    pub room: OwnedSemaphorePermit,
}

impl FromRequest<Doors> for FhirBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        must_be_json(request.headers())?;
        Self::read(request, doors).await
    }
}

/// A body that says it is a JSON Patch, within the same limits.
pub struct PatchBody(pub FhirBody);

impl FromRequest<Doors> for PatchBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        if media_type(request.headers()) != "application/json-patch+json" || !is_plain(request.headers()) {
            return Err(unsupported(
                "Send `Content-Type: application/json-patch+json`, without Content-Encoding; or PUT the whole Task.",
            ));
        }
        FhirBody::read(request, doors).await.map(Self)
    }
}

impl FhirBody {
    async fn read(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        let limit = doors.limits.max_body_bytes;
        let room = doors.admission.bodies.enter(announced(request.headers(), limit)?)?;
        let bytes = read_body(request, limit, doors.limits.body_timeout).await?;
        Ok(Self { bytes, room })
    }
}

/// How long a body will be at most. One that is announced as too long needs no room.
fn announced(headers: &HeaderMap, limit: usize) -> Result<usize, Refusal> {
    let length: Option<usize> = text(headers, CONTENT_LENGTH).parse().ok();
    match length {
        Some(length) if length > limit => Err(too_large(limit)),
        Some(length) => Ok(length),
        None => Ok(limit),
    }
}

/// Reads a body within limits of size, in bytes, and time.
pub async fn read_body(request: Request, limit: usize, patience: Duration) -> Result<Bytes, Refusal> {
    let body = Limited::new(request.into_body(), limit);
    match tokio::time::timeout(patience, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(Refusal::bad_request("SEND_BODY_BROKEN", "The body ended early. Send it again.")),
        Err(_) => Err(too_slow()),
    }
}

fn too_large(limit: usize) -> Refusal {
    let text =
        format!("The body may have {limit} bytes at most. Send large documents apart, or make them smaller.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Issue::error(IssueKind::TooLong, "SEND_BODY_TOO_LARGE", text))
}

fn too_slow() -> Refusal {
    let text = "The body took too long to arrive. Nothing was recorded; send it again.";
    Refusal::new(StatusCode::REQUEST_TIMEOUT, Issue::error(IssueKind::Timeout, "SEND_BODY_TOO_SLOW", text))
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_json = matches!(media_type(headers).as_str(), "application/fhir+json" | "application/json");
    if is_json && is_plain(headers) {
        return Ok(());
    }
    Err(unsupported("Send `Content-Type: application/fhir+json`, without Content-Encoding."))
}

fn media_type(headers: &HeaderMap) -> String {
    text(headers, CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_plain(headers: &HeaderMap) -> bool {
    matches!(text(headers, CONTENT_ENCODING), "" | "identity")
}

fn must_accept_json(headers: &HeaderMap, agreed: FhirVersion) -> Result<(), Refusal> {
    let accept = text(headers, ACCEPT);
    let fits = |range: &str| {
        let media_type = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let known = ["*/*", "application/*", "application/fhir+json", "application/json", "json", ""];
        known.contains(&media_type.as_str())
            && parameter(range, "fhirversion").is_none_or(|version| version == agreed.short())
    };
    if accept.split(',').any(fits) {
        return Ok(());
    }
    let text = format!(
        "Answers are application/fhir+json (FHIR {}). Accept it, or leave Accept out.",
        agreed.short()
    );
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, Issue::error(IssueKind::NotSupported, "SEND_ACCEPT", text)))
}

fn parameter<'a>(media_range: &'a str, name: &str) -> Option<&'a str> {
    media_range.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

fn text(headers: &HeaderMap, name: http::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
