//! What the server does with a request that it understands.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::capability::{TYPES, capability_statement};
use super::messages;
use super::refusal::Refusal;
use super::resources::Resources;
use super::search::Search;
use super::transaction;
use crate::fhir::json;
use crate::fhir::resource::{id, resource_type, version};

const PROCESS_MESSAGE: &str = "$process-message";

/// A request that has arrived completely.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: String,
    /// Below the base, without a slash at its start.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// The same call as a server sees it that has looked at its conditions and found nothing.
    pub(super) fn unconditional(&self) -> Self {
        let mut call = self.clone();
        call.headers.remove("if-none-exist");
        if let Ok(mut bundle) = json::parse(&call.body) {
            for entry in bundle["entry"].as_array_mut().into_iter().flatten() {
                if let Some(request) = entry["request"].as_object_mut() {
                    request.remove("ifNoneExist");
                }
            }
            call.body = Bytes::from(bundle.to_string());
        }
        call
    }

    fn resource(&self) -> Result<Value, Refusal> {
        let parsed = json::parse(&self.body);
        let resource = parsed.map_err(|error| Refusal::bad_request(format!("the body {error}")))?;
        check_type(resource_type(&resource))?;
        Ok(resource)
    }
}

/// Answers one call.
pub(super) fn route(resources: &mut Resources, call: &Call, base: &str) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = call.path.split('/').filter(|it| !it.is_empty()).collect();
    if let Some(kind) = segments.first().filter(|it| !matches!(**it, "metadata" | PROCESS_MESSAGE)) {
        check_type(kind)?;
    }
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["metadata"]) => Ok(Answer::plain(capability_statement(base, resources.offers))),
        ("POST", [PROCESS_MESSAGE]) => messages::process(resources, call, base),
        ("POST", []) if !resources.offers.transaction => Err(not_offered()),
        ("POST", []) => transaction::run(resources, &call.resource()?, base).map(Answer::plain),
        ("GET", [kind]) => search(resources, kind, &call.query, base),
        ("POST", [kind, "_search"]) => search(resources, kind, &form(call), base),
        ("POST", [kind]) => create(resources, kind, call, base),
        ("GET", [kind, id]) => resources.version(kind, id, None).cloned().map(Answer::version),
        ("GET", [kind, id, "_history", number]) => {
            resources.version(kind, id, Some(number)).cloned().map(Answer::version)
        }
        ("PUT", [kind]) => update_found(resources, kind, call, base),
        ("PUT", [kind, id]) => update(resources, kind, id, call, base),
        ("DELETE", [kind, id]) => {
            resources.delete(kind, id);
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::not_found("there is nothing here")),
    }
}

/// Whether the server keeps resources of this type.
pub(super) fn check_type(resource_type: &str) -> Result<(), Refusal> {
    if TYPES.contains(&resource_type) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::NOT_FOUND, "not-supported", "this resource type is not supported"))
}

/// The weak entity tag of a version.
pub(super) fn etag(resource: &Value) -> String {
    format!("W/\"{}\"", version(resource))
}

fn search(resources: &Resources, kind: &str, query: &str, base: &str) -> Result<Answer, Refusal> {
    let search = Search::parse(query, base)?;
    Ok(Answer::plain(search.page(resources, &format!("{base}/{kind}"), query)))
}

fn form(call: &Call) -> String {
    let body = String::from_utf8_lossy(&call.body);
    [call.query.as_str(), &body].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("&")
}

fn create(resources: &mut Resources, kind: &str, call: &Call, base: &str) -> Result<Answer, Refusal> {
    let resource = of_type(call.resource()?, kind)?;
    let condition = call.header("if-none-exist").filter(|_| resources.offers.conditional_create);
    if let Some(id) = transaction::existing(resources, kind, condition, base)? {
        return resources.version(kind, &id, None).cloned().map(Answer::version);
    }
    Ok(Answer::created(resources.create(resource), base))
}

fn update(
    resources: &mut Resources,
    kind: &str,
    address: &str,
    call: &Call,
    base: &str,
) -> Result<Answer, Refusal> {
    let resource = of_type(call.resource()?, kind)?;
    if id(&resource) != address {
        return Err(Refusal::bad_request("the id of the resource is not that of the address"));
    }
    let known = resources.read(kind, address).is_some();
    if !known && !resources.offers.update_create {
        return Err(not_offered());
    }
    if known && call.header("if-none-match") == Some("*") {
        return Err(Refusal::precondition(format!("{kind}/{address} is there already")));
    }
    let written = resources.update(resource, call.header("if-match"))?;
    Ok(if version(&written) == "1" { Answer::created(written, base) } else { Answer::version(written) })
}

/// A conditional update (FHIR R4, http, conditional update).
fn update_found(resources: &mut Resources, kind: &str, call: &Call, base: &str) -> Result<Answer, Refusal> {
    if !resources.offers.conditional_update {
        return Err(not_offered());
    }
    let mut resource = of_type(call.resource()?, kind)?;
    match transaction::existing(resources, kind, Some(&call.query), base)? {
        None => Ok(Answer::created(resources.create(resource), base)),
        Some(id) => {
            resource["id"] = id.into();
            resources.update(resource, call.header("if-match")).map(Answer::version)
        }
    }
}

fn not_offered() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", "the server does not offer this")
}

fn of_type(resource: Value, kind: &str) -> Result<Value, Refusal> {
    if resource_type(&resource) == kind {
        return Ok(resource);
    }
    Err(Refusal::bad_request("the resource is not of the type in the address"))
}
