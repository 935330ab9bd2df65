//! What a partner may read: its own referrals, their Tasks, and updates that consent releases.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use http::Uri;
use serde_json::Value;

use super::Doors;
use super::extract::AuthenticatedPartner;
use super::query::Search;
use super::refusal::Refusal;
use super::resource_body::ResourceBody;
use crate::auth::scope::Interaction;
use crate::fhir::{bundle, resource};
use crate::inbound::edge::{type_in, type_of};
use crate::model::ids::{ReferralId, ReplyId};
use crate::model::referral::Referral;

/// `GET /fhir/Task/{id}`: where a referral stands.
pub async fn read_task(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    path: Result<Path<String>, PathRejection>,
) -> Result<ResourceBody, Refusal> {
    let Path(id) = path.map_err(|_| Refusal::not_found())?;
    task(&doors, &from, &id).await.map(|it| answer(&from, it))
}

/// `GET /fhir/Task`: where the partner's referrals stand.
pub async fn search_tasks(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    RawQuery(query): RawQuery,
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Search, "Task")?;
    let search = Search::read(query.as_deref())?;
    let mut tasks = Vec::new();
    let referrals = own_referrals(&doors, &from, &search).await?;
    let next = next_link(&doors, "Task", &search, &referrals);
    for referral in referrals {
        tasks.push(task_of(&doors, &from, referral).await?);
    }
    Ok(searchset(&doors, &from, tasks, next))
}

/// `GET /fhir/ServiceRequest`: the partner's referrals as it sent them.
pub async fn search_service_requests(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    RawQuery(query): RawQuery,
) -> Result<ResourceBody, Refusal> {
    from.must(Interaction::Search, "ServiceRequest")?;
    let search = Search::read(query.as_deref())?;
    let referrals = own_referrals(&doors, &from, &search).await?;
    let order = type_in("ServiceRequest", from.partner.fhir_version);
    let next = next_link(&doors, order, &search, &referrals);
    let mut found = Vec::new();
    for referral in referrals {
        let id = referral.id.to_string();
        found.extend(doors.inbound.part(&from.partner, "ServiceRequest", &id).await?);
    }
    Ok(searchset(&doors, &from, found, next))
}

/// `GET /fhir/{type}/{id}`: a part of the partner's own submission, or an update that is released.
pub async fn read(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<ResourceBody, Refusal> {
    let Path((resource_type, id)) = path.map_err(|_| Refusal::not_found())?;
    let resource_type = type_of(&resource_type, from.partner.fhir_version);
    part_or_update(&doors, &from, resource_type, &id).await.map(|it| answer(&from, it))
}

/// `GET /fhir/{type}/{id}/_history/{version}`: the present version, where it is this one. Earlier ones are
/// not kept.
pub async fn read_version(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<ResourceBody, Refusal> {
    let Path((resource_type, id, version)) = path.map_err(|_| Refusal::not_found())?;
    let resource_type = type_of(&resource_type, from.partner.fhir_version);
    let present = match resource_type {
        "Task" => task(&doors, &from, &id).await?,
        _ => part_or_update(&doors, &from, resource_type, &id).await?,
    };
    let asked = Some(present).filter(|it| resource::version(it) == version);
    asked.map(|it| answer(&from, it)).ok_or_else(Refusal::not_found)
}

/// `GET /fhir/{type}`: the updates of one type that are released to the partner.
pub async fn search(
    State(doors): State<Doors>,
    from: AuthenticatedPartner,
    address: Uri,
    RawQuery(query): RawQuery,
) -> Result<ResourceBody, Refusal> {
    // Some types have a row of their own among the routes.
    let resource_type = address.path().rsplit('/').next().unwrap_or_default();
    from.must(Interaction::Search, resource_type)?;
    let search = Search::read(query.as_deref())?;
    search.must_be_for_updates()?;
    let referral = match search.based_on.as_deref() {
        Some(text) => Some(referral_id(text).ok_or_else(not_a_referral)?),
        None => None,
    };
    let found = doors.outbound.inbox(&from.partner, resource_type, referral, search.count).await?;
    let wanted = |it: &Value| search.id.as_deref().is_none_or(|id| resource::id(it) == id);
    Ok(searchset(&doors, &from, found.into_iter().filter(wanted).collect(), None))
}

async fn task(doors: &Doors, from: &AuthenticatedPartner, id: &str) -> Result<Value, Refusal> {
    from.must(Interaction::Read, "Task")?;
    if id.starts_with(ReplyId::PREFIX) {
        return doors.inbound.reply(&from.partner, "Task", id).await?.ok_or_else(Refusal::not_found);
    }
    let id = id.parse().map_err(|_| Refusal::not_found())?;
    let referral = doors.inbound.own(&from.partner.id, id).await?.ok_or_else(Refusal::not_found)?;
    task_of(doors, from, referral).await
}

async fn part_or_update(
    doors: &Doors,
    from: &AuthenticatedPartner,
    resource_type: &str,
    id: &str,
) -> Result<Value, Refusal> {
    if id.starts_with("ref-") {
        // It rode along with an order, so the order's scope lets it be read again.
        from.must(Interaction::Read, "ServiceRequest")?;
        let part = doors.inbound.part(&from.partner, resource_type, id).await?;
        return part.ok_or_else(Refusal::not_found);
    }
    from.must(Interaction::Read, resource_type)?;
    if id.starts_with(ReplyId::PREFIX) {
        return doors.inbound.reply(&from.partner, resource_type, id).await?.ok_or_else(Refusal::not_found);
    }
    let update = doors.outbound.inbox_item(&from.partner, resource_type, id).await?;
    update.ok_or_else(Refusal::not_found)
}

/// The Task as it is after something may have changed.
pub(super) async fn shown(
    doors: &Doors,
    from: &AuthenticatedPartner,
    referral: Referral,
) -> Result<Value, Refusal> {
    let now = doors.inbound.own(&from.partner.id, referral.id).await?.unwrap_or(referral);
    task_of(doors, from, now).await
}

/// The Task with what the clinic has made of it, as far as the partner may know; otherwise the receipt. With it stands
/// what the partner said since.
pub(super) async fn task_of(
    doors: &Doors,
    from: &AuthenticatedPartner,
    referral: Referral,
) -> Result<Value, Refusal> {
    let mut task = doors.inbound.receipt(referral.clone(), &from.partner).await?.task;
    if let Some(progress) = doors.outbound.progress(&from.partner, referral.id).await? {
        show_progress(&mut task, progress);
    }
    doors.inbound.show_replies(&from.partner, &referral, &mut task).await?;
    Ok(task)
}

/// What the clinic says about progress takes the place of what the receipt says.
fn show_progress(task: &mut Value, progress: Value) {
    let version = format!("{}.{}", resource::version(task), resource::version(&progress));
    let Value::Object(progress) = progress else {
        return;
    };
    for element in ["status", "statusReason", "businessStatus", "executionPeriod", "lastModified", "owner"] {
        if let Some(value) = progress.get(element) {
            task[element] = value.clone();
        }
    }
    task["meta"] = progress.get("meta").cloned().unwrap_or_default();
    task["meta"]["versionId"] = Value::String(version);
}

async fn own_referrals(
    doors: &Doors,
    from: &AuthenticatedPartner,
    search: &Search,
) -> Result<Vec<Referral>, Refusal> {
    search.must_name_one()?;
    let named = search.id.as_deref().or(search.based_on.as_deref());
    if let Some(text) = named {
        let Some(id) = referral_id(text) else {
            return Ok(Vec::new());
        };
        return Ok(doors.inbound.own(&from.partner.id, id).await?.into_iter().collect());
    }
    let before = search.before.as_deref().map(|it| it.parse().map_err(|_| bad_before())).transpose()?;
    let identifier = search.identifier.as_deref();
    Ok(doors.inbound.own_list(&from.partner.id, identifier, before, search.count).await?)
}

fn referral_id(text: &str) -> Option<ReferralId> {
    text.rsplit('/').next()?.parse().ok()
}

fn not_a_referral() -> Refusal {
    Refusal::bad_request("SEND_SEARCH_PARAMETER", "`based-on` must name a referral: ServiceRequest/ref-….")
}

fn bad_before() -> Refusal {
    Refusal::bad_request("SEND_SEARCH_PARAMETER", "Follow the `next` link of a page as it stands.")
}

/// The address of the next page, if this one is full.
fn next_link(doors: &Doors, resource_type: &str, search: &Search, page: &[Referral]) -> Option<String> {
    let last = page.last().filter(|_| page.len() == search.count)?;
    Some(format!("{}/{resource_type}?_count={}&_before={}", doors.addresses.fhir_base, search.count, last.id))
}

fn searchset(
    doors: &Doors,
    from: &AuthenticatedPartner,
    found: Vec<Value>,
    next: Option<String>,
) -> ResourceBody {
    let matches = found.into_iter().map(|it| {
        let (resource_type, id) = (resource::resource_type(&it), resource::id(&it));
        (format!("{}/{resource_type}/{id}", doors.addresses.fhir_base), it)
    });
    let mut bundle = bundle::searchset(matches.collect());
    if let Some(next) = next {
        bundle["link"] = serde_json::json!([{ "relation": "next", "url": next }]);
    }
    answer(from, bundle)
}

/// In the version that the partner speaks.
fn answer(from: &AuthenticatedPartner, resource: Value) -> ResourceBody {
    ResourceBody::in_version(resource, from.partner.fhir_version)
}
