//! The doors by which partners say more about referrals that we have.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LOCATION, IF_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde_json::Value;

use super::Doors;
use super::extract::{AuthenticatedPartner, FhirBody, PatchBody};
use super::partner_api::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, REQUEST_ID, key, plain};
use super::partner_reads::{shown, task_of};
use super::refusal::Refusal;
use super::resource_body::{ResourceBody, header, headers as describing};
use crate::auth::scope::Interaction;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::{json, resource};
use crate::inbound::edge::{as_r4, for_version};
use crate::inbound::reply::{Draft, Incoming, ReplyReceipt};
use crate::inbound::{InboundError, Intake};
use crate::model::fhir_version::FhirVersion;
use crate::model::referral::Referral;
use crate::model::reply::ReplyKind;
use crate::model::sensitive::Sensitive;

/// `POST /fhir/Communication`, `DocumentReference` and `QuestionnaireResponse`: a partner answers, asks, or sends a
/// record that was missing.
pub async fn receive_addition(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    address: Uri,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<Said, Refusal> {
    let resource_type = address.path().rsplit('/').next().unwrap_or_default();
    from.must(Interaction::Create, resource_type)?;
    let kind = match resource_type {
        "Communication" => ReplyKind::Communication,
        "DocumentReference" => ReplyKind::DocumentReference,
        "QuestionnaireResponse" => ReplyKind::QuestionnaireResponse,
        _ => return Err(Refusal::not_found()),
    };
    receive(&doors, &from, &headers, (kind, body)).await
}

/// What is POSTed and gets an address of its own; a Task with code `abort` among it.
pub(super) async fn receive(
    doors: &Doors,
    from: &AuthenticatedPartner,
    headers: &HeaderMap,
    (kind, body): (ReplyKind, FhirBody),
) -> Result<Said, Refusal> {
    let FhirBody { bytes, room: _room } = body;
    let incoming = incoming(doors, headers, kind, &bytes)?;
    let draft = doors.inbound.draft(&from.partner, incoming, None).await?;
    let receipt = record(doors, from, draft, None).await?;
    Ok(Said { receipt, fhir_base: doors.addresses.fhir_base.clone(), version: from.partner.fhir_version })
}

/// `PUT /fhir/Task/{id}`: a placer stops a referral that has not begun, or adds what was asked for.
pub async fn change_task(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: FhirBody,
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Update, "Task")?;
    let referral = own_referral(&doors, &from, path).await?;
    let FhirBody { bytes, room: _room } = body;
    if let Ok(sent) = json::parse(&bytes)
        && resource::id(&sent) != referral.id.to_string()
    {
        return Err(wrong_id());
    }
    let incoming = incoming(&doors, &headers, ReplyKind::TaskChange, &bytes)?;
    change(&doors, &from, &headers, (referral, incoming)).await
}

/// `PATCH /fhir/Task/{id}`: the same, as JSON Patch (RFC 6902; FHIR R4, http, patch).
pub async fn patch_task(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: PatchBody,
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Update, "Task")?;
    let referral = own_referral(&doors, &from, path).await?;
    let PatchBody(FhirBody { bytes, room: _room }) = body;
    let version = from.partner.fhir_version;
    let mut task = for_version(shown(&doors, &from, referral.clone()).await?, version);
    let operations = json::parse(&bytes).map_err(InboundError::from)?;
    let patch_as_sent = Sensitive::new(resource::canonical(&operations));
    let operations: json_patch::Patch = serde_json::from_value(operations).map_err(|_| not_a_patch())?;
    json_patch::patch(&mut task, &operations).map_err(|_| patch_does_not_fit())?;
    let incoming = incoming(&doors, &headers, ReplyKind::TaskChange, &Bytes::from(task.to_string()))?;
    change(&doors, &from, &headers, (referral, Incoming { patch: Some(patch_as_sent), ..incoming })).await
}

async fn change(
    doors: &Doors,
    from: &AuthenticatedPartner,
    headers: &HeaderMap,
    (referral, incoming): (Referral, Incoming),
) -> Result<ResourceBody, Refusal> {
    let draft = doors.inbound.draft(&from.partner, incoming, Some(referral.clone())).await?;
    record(doors, from, draft, Some(headers)).await?;
    let task = shown(doors, from, referral).await?;
    Ok(ResourceBody::in_version(task, from.partner.fhir_version))
}

/// Records a reply, or finds that it is known. `if_match`: headers that must name the Task's present version.
pub(super) async fn record(
    doors: &Doors,
    from: &AuthenticatedPartner,
    draft: Draft,
    if_match: Option<&HeaderMap>,
) -> Result<ReplyReceipt, Refusal> {
    if let Some(known) = doors.inbound.known_reply(&from.partner, &draft).await? {
        return Ok(known);
    }
    let task = task_of(doors, from, draft.referral.clone()).await?;
    if let Some(headers) = if_match {
        must_match(headers, &task)?;
    }
    let intake = if doors.admission.shut().is_empty() { Intake::Open } else { Intake::RepeatsOnly };
    let receipt = doors.inbound.record_reply(&from.partner, draft, &task, intake).await?;
    doors.work.notify_one();
    Ok(receipt)
}

pub(super) fn incoming(
    doors: &Doors,
    headers: &HeaderMap,
    kind: ReplyKind,
    body: &Bytes,
) -> Result<Incoming, Refusal> {
    Ok(Incoming {
        kind,
        body: Sensitive::new(body.to_vec()),
        patch: None,
        idempotency_key: key(headers, &IDEMPOTENCY_KEY)?,
        request_id: plain(headers, &REQUEST_ID),
        if_match: plain(headers, &IF_MATCH).filter(|_| kind == ReplyKind::TaskChange),
        received: doors.clock.now(),
    })
}

async fn own_referral(
    doors: &Doors,
    from: &AuthenticatedPartner,
    path: Result<Path<String>, PathRejection>,
) -> Result<Referral, Refusal> {
    let Path(id) = path.map_err(|_| Refusal::not_found())?;
    let id = id.parse().map_err(|_| Refusal::not_found())?;
    let own = doors.inbound.own(&from.partner.id, id).await?;
    own.ok_or_else(Refusal::not_found)
}

/// Whether a change is one of the version that is there (RFC 9110 §13.1.1; FHIR R4, http, managing resource
/// contention).
fn must_match(headers: &HeaderMap, task: &Value) -> Result<(), Refusal> {
    let mut given = headers.get_all(IF_MATCH).iter();
    let Some(value) = given.next().filter(|_| given.next().is_none()) else {
        let text =
            "Send `If-Match` once, with the ETag of the Task as you read it: a change is one of a version.";
        let issue = Issue::error(IssueKind::Required, "SEND_IF_MATCH", text);
        return Err(Refusal::new(StatusCode::PRECONDITION_REQUIRED, issue));
    };
    let version = value.to_str().unwrap_or_default().trim().trim_start_matches("W/").trim_matches('"');
    if version == resource::version(task) {
        return Ok(());
    }
    let text = "The Task has changed since you read it. Nothing was changed; read it again and decide anew.";
    let issue = Issue::error(IssueKind::Conflict, "SEND_VERSION", text);
    Err(Refusal::new(StatusCode::PRECONDITION_FAILED, issue))
}

fn wrong_id() -> Refusal {
    let text = "Send the Task with the id that is in its address.";
    let issue = Issue::error(IssueKind::Value, "SEND_TASK_ID", text).at("Task.id");
    Refusal::new(StatusCode::BAD_REQUEST, issue)
}

fn not_a_patch() -> Refusal {
    Refusal::bad_request("SEND_PATCH", "Send a JSON Patch: an array of operations (RFC 6902).")
}

fn patch_does_not_fit() -> Refusal {
    let text =
        "An operation of the patch does not fit the Task as it is. Nothing was changed; read the Task again.";
    let issue = Issue::error(IssueKind::Value, "SEND_PATCH_UNFIT", text);
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, issue)
}

/// The answer to a reply.
#[derive(Debug)]
pub struct Said {
    receipt: ReplyReceipt,
    fhir_base: String,
    version: FhirVersion,
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let Self { receipt, fhir_base, version } = self;
        let resource = for_version(receipt.resource, version);
        let mut headers = describing(&resource, version);
        let address = format!("{fhir_base}/{}/{}", resource::resource_type(&resource), receipt.id);
        for (name, address) in [(LOCATION, format!("{address}/_history/1")), (CONTENT_LOCATION, address)] {
            headers.extend(header(&address).map(|value| (name, value)));
        }
        if receipt.repeated {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        (StatusCode::CREATED, headers, resource.to_string()).into_response()
    }
}

/// Whether a body is a Task by which a placer asks to stop.
pub(super) fn is_abort_task(body: &Bytes, version: FhirVersion) -> bool {
    json::parse(body).is_ok_and(|it| crate::inbound::reply::is_abort_task(&as_r4(it, version)))
}
