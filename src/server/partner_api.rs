//! The doors by which partners send referrals.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Doors;
use super::extract::{AuthenticatedPartner, FhirBody};
use super::refusal::Refusal;
use super::resource_body::{ResourceBody, header, headers as describing};
use crate::auth::scope::Interaction;
use crate::inbound::Intake;
use crate::inbound::edge::{for_version, type_in};
use crate::inbound::receipt::Receipt;
use crate::model::envelope::{Door, Envelope};
use crate::model::fhir_version::FhirVersion;
use crate::model::sensitive::Sensitive;
use crate::telemetry::metrics::Accept;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// `POST /fhir`: a partner sends a referral and what belongs to it as one transaction.
pub async fn receive_bundle(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<Accepted, Refusal> {
    receive(doors, from, &headers, (Door::Transaction, body)).await
}

/// `POST /fhir/ServiceRequest`: a partner sends a referral that contains what belongs to it.
pub async fn receive_service_request(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<Accepted, Refusal> {
    receive(doors, from, &headers, (Door::ServiceRequest, body)).await
}

/// What the scope for the order covers, the resources that ride along with it need no scope for.
async fn receive(
    doors: Doors,
    from: AuthenticatedPartner,
    headers: &HeaderMap,
    (door, body): (Door, FhirBody),
) -> Result<Accepted, Refusal> {
    from.must(Interaction::Create, "ServiceRequest")?;
    let FhirBody { bytes, room } = body;
    let begun = Instant::now();
    let taken = take(&doors, &from, headers, (door, bytes)).await;
    drop(room);
    let outcome = match &taken {
        Ok(receipt) if receipt.repeated => Accept::Repeated,
        Ok(_) => Accept::Recorded,
        Err(refusal) if refusal.status.is_client_error() => Accept::Refused,
        Err(_) => Accept::Failed,
    };
    doors.metrics.accepted(from.partner.id.as_str(), outcome, begun.elapsed());
    let version = from.partner.fhir_version;
    Ok(Accepted { receipt: taken?, fhir_base: doors.addresses.fhir_base.clone(), version })
}

async fn take(
    doors: &Doors,
    from: &AuthenticatedPartner,
    headers: &HeaderMap,
    (door, body): (Door, Bytes),
) -> Result<Receipt, Refusal> {
    let envelope = Envelope {
        door,
        partner: from.partner.id.clone(),
        body: Sensitive::new(body.to_vec()),
        received: doors.clock.now(),
        idempotency_key: key(headers, &IDEMPOTENCY_KEY)?,
        if_none_exist: key(headers, &IF_NONE_EXIST)?,
    };
    let intake = if doors.admission.shut().is_empty() { Intake::Open } else { Intake::RepeatsOnly };
    let begun = Instant::now();
    let accepted = doors.inbound.accept(&from.partner, envelope, intake).await;
    let receipt = accepted?;
    if !receipt.repeated {
        doors.admission.recording.took(begun, begun.elapsed());
    }
    doors.work.notify_one();
    Ok(receipt)
}

/// A key that the sender chose. A structured-field string may stand in quotes. Of two keys, either could be
/// the one that counts; so none does.
fn key(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(|it| it.trim().trim_matches('"'));
    let text = text.filter(|it| (1..=512).contains(&it.len()) && values.next().is_none());
    let unusable = || {
        let text = format!("`{name}` must be given once, as 1 to 512 visible ASCII characters.");
        Refusal::bad_request("SEND_KEY", text)
    };
    text.map(|it| Some(it.to_owned())).ok_or_else(unusable)
}

/// The answer to a referral (DESIGN section 4).
#[derive(Debug)]
pub struct Accepted {
    receipt: Receipt,
    fhir_base: String,
    version: FhirVersion,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let Self { receipt, fhir_base, version } = self;
        let repeated = receipt.repeated;
        let mut response = match receipt.transaction_response {
            Some(bundle) => ResourceBody::in_version(bundle, version).into_response(),
            None => created(receipt, &fhir_base, version),
        };
        if repeated {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// `Location` names the ServiceRequest that was made; the body is the Task that tells its progress, which
/// `Content-Location` names (RFC 9110 §8.7).
fn created(receipt: Receipt, fhir_base: &str, version: FhirVersion) -> Response {
    let id = receipt.referral;
    let order = type_in("ServiceRequest", version);
    let task = for_version(receipt.task, version);
    let mut headers = describing(&task, version);
    let addresses = [
        (LOCATION, format!("{fhir_base}/{order}/{id}/_history/1")),
        (CONTENT_LOCATION, format!("{fhir_base}/Task/{id}")),
    ];
    for (name, address) in addresses {
        headers.extend(header(&address).map(|value| (name, value)));
    }
    (StatusCode::CREATED, headers, task.to_string()).into_response()
}
