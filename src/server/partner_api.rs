//! The doors by which partners send referrals.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::Doors;
use super::extract::{AuthenticatedPartner, FhirBody};
use super::partner_reads;
use super::partner_replies;
use super::refusal::{InReply, Refusal};
use super::resource_body::{ResourceBody, header, headers as describing};
use crate::auth::scope::Interaction;
use crate::fhir::message::{self, Received, Said};
use crate::fhir::{json, resource};
use crate::inbound::Intake;
use crate::inbound::edge::{as_r4, for_version, type_in};
use crate::inbound::gather::Gathering;
use crate::inbound::receipt::{self, Receipt};
use crate::inbound::reply::ReplyReceipt;
use crate::model::envelope::{Door, Envelope};
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::ReferralId;
use crate::model::reply::ReplyKind;
use crate::model::sensitive::Sensitive;
use crate::telemetry::metrics::Accept;

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
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

/// `POST /fhir/Task`: a partner asks for a referral whose ServiceRequest is contained, or stands on its own server; or
/// it asks to stop one.
pub async fn receive_task(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<Response, Refusal> {
    if partner_replies::is_abort_task(&body.bytes, from.partner.fhir_version) {
        from.must(Interaction::Create, "Task")?;
        let said = partner_replies::receive(&doors, &from, &headers, (ReplyKind::AbortTask, body)).await?;
        return Ok(said.into_response());
    }
    Ok(receive(doors, from, &headers, (Door::Task, body)).await?.into_response())
}

/// `POST /fhir/$process-message`: a partner sends a message, and gets the reply at once (FHIR R4, messaging).
pub async fn receive_message(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<Response, Refusal> {
    let version = from.partner.fhir_version;
    let quotes = doors.inbound.house.quotes(&from.partner);
    let received = json::parse(&body.bytes).ok().and_then(|it| Received::of(&as_r4(it, version)));
    let endpoint = format!("{}/$process-message", doors.addresses.fhir_base);
    let reply = received.map(|to| InReply { to, quotes, endpoint, version });
    let taken = match said_in_message(&doors, &from, &headers, &body.bytes).await {
        Ok(None) => receive(doors, from, &headers, (Door::Message, body)).await,
        Ok(Some(said)) => return Ok(reply_about_known(said, reply, (&from, &doors))),
        Err(refusal) => Err(refusal),
    };
    match taken {
        Ok(accepted) => Ok(Accepted { reply, ..accepted }.into_response()),
        Err(refusal) => Err(refusal.in_reply(reply)),
    }
}

/// What a message says about a referral that we have, and the referral's Task afterwards; none: it brings a new one.
async fn said_in_message(
    doors: &Doors,
    from: &AuthenticatedPartner,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Option<(ReplyReceipt, Value)>, Refusal> {
    from.must(Interaction::Create, "ServiceRequest")?;
    let incoming = partner_replies::incoming(doors, headers, ReplyKind::Message, body)?;
    let Some(draft) = doors.inbound.draft_message(&from.partner, incoming).await? else {
        return Ok(None);
    };
    let referral = draft.referral.clone();
    let receipt = partner_replies::record(doors, from, draft, None).await?;
    Ok(Some((receipt, partner_reads::shown(doors, from, referral).await?)))
}

fn reply_about_known(
    (receipt, task): (ReplyReceipt, Value),
    reply: Option<InReply>,
    (from, doors): (&AuthenticatedPartner, &Doors),
) -> Response {
    let version = from.partner.fhir_version;
    let answer = match reply {
        Some(reply) => {
            let said = receipt::InReply { task, warnings: None };
            reply_that_it_is_taken(&reply, &said, &doors.addresses.fhir_base)
        }
        None => task,
    };
    let mut response = ResourceBody::in_version(answer, version).into_response();
    if receipt.repeated {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// What the scope for the order covers, the resources that ride along with it need no scope for.
async fn receive(
    doors: Doors,
    from: AuthenticatedPartner,
    headers: &HeaderMap,
    (door, body): (Door, FhirBody),
) -> Result<Accepted, Refusal> {
    let asked_for = if door == Door::Task { "Task" } else { "ServiceRequest" };
    from.must(Interaction::Create, asked_for)?;
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
    let (version, fhir_base) = (from.partner.fhir_version, doors.addresses.fhir_base.clone());
    Ok(Accepted { receipt: taken?, door, fhir_base, version, reply: None })
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
        request_id: plain(headers, &REQUEST_ID),
        if_none_exist: key(headers, &IF_NONE_EXIST)?,
        gathered: None,
    };
    let intake = if doors.admission.shut().is_empty() { Intake::Open } else { Intake::RepeatsOnly };
    let lacks = doors.inbound.lacks(&from.partner, &envelope)?;
    // Room for what is read besides the body. It is not what recording costs.
    let _room = match &lacks {
        Some(_) => Some(doors.admission.bodies.enter(doors.limits.max_body_bytes)?),
        None => None,
    };
    let envelope = match lacks {
        Some(sent) => match doors.inbound.gather(&from.partner, envelope, (sent, intake)).await? {
            Gathering::Whole(envelope) => *envelope,
            Gathering::Known(referral) => return Ok(doors.inbound.receipt(referral, &from.partner).await?),
        },
        None => envelope,
    };
    let begun = Instant::now();
    let accepted = doors.inbound.accept(&from.partner, envelope, intake).await;
    let receipt = accepted?;
    if !receipt.repeated {
        doors.admission.recording.took(begun, begun.elapsed());
    }
    doors.work.notify_one();
    Ok(receipt)
}

/// A header as it is, where it is text.
pub(super) fn plain(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
}

/// A key that the sender chose. A structured-field string may stand in quotes. Of two keys, either could be
/// the one that counts; so none does.
pub(super) fn key(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
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
    door: Door,
    fhir_base: String,
    version: FhirVersion,
    reply: Option<InReply>,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let Self { receipt, door, fhir_base, version, reply } = self;
        let repeated = receipt.repeated;
        let mut response = match (receipt.transaction_response, receipt.in_reply, reply) {
            (Some(bundle), ..) => ResourceBody::in_version(bundle, version).into_response(),
            (_, Some(said), Some(reply)) => {
                let reply = reply_that_it_is_taken(&reply, &said, &fhir_base);
                ResourceBody::in_version(reply, version).into_response()
            }
            _ => created(receipt.referral, receipt.task, (door, version), &fhir_base),
        };
        if repeated {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

fn reply_that_it_is_taken(reply: &InReply, said: &receipt::InReply, fhir_base: &str) -> Value {
    let address = format!("{fhir_base}/Task/{}", resource::id(&said.task));
    let said = Said {
        response: message::Response::Ok,
        details: said.warnings.as_ref(),
        focus: Some((&address, &said.task)),
    };
    reply.to.reply(reply.quotes, &reply.endpoint, &said)
}

/// `Location` names what was made of what was sent: the ServiceRequest, or the Task. The body is the Task that tells
/// the referral's progress, which `Content-Location` names (RFC 9110 §8.7).
fn created(id: ReferralId, task: Value, (door, version): (Door, FhirVersion), fhir_base: &str) -> Response {
    let order = type_in("ServiceRequest", version);
    let task = for_version(task, version);
    let mut headers = describing(&task, version);
    let location = match door {
        // Without a version: it changes with the clinic's progress, and earlier versions are not kept.
        Door::Task => format!("{fhir_base}/Task/{id}"),
        _ => format!("{fhir_base}/{order}/{id}/_history/1"),
    };
    for (name, address) in [(LOCATION, location), (CONTENT_LOCATION, format!("{fhir_base}/Task/{id}"))] {
        headers.extend(header(&address).map(|value| (name, value)));
    }
    (StatusCode::CREATED, headers, task.to_string()).into_response()
}
