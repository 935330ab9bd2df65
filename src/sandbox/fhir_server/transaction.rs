//! A transaction Bundle: all of it or nothing (FHIR R4, http, transaction).

use std::collections::{HashMap, HashSet};

use http::StatusCode;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::resources::Resources;
use super::routes::{check_type, etag};
use super::search::Search;
use crate::fhir::bundle::entries;
use crate::fhir::resource::{id, resource_type, version};

/// What one entry will do.
enum Step {
    /// A conditional create that found its resource.
    Exists { id: String },
    /// Create under this id, which is reserved.
    Create { id: String },
    /// Write the next version.
    Update { id: String, if_match: Option<String> },
}

/// Carries a transaction out and gives the transaction-response.
pub(super) fn run(resources: &mut Resources, bundle: &Value, base: &str) -> Result<Value, Refusal> {
    if bundle["resourceType"] != "Bundle" || bundle["type"] != "transaction" {
        return Err(Refusal::bad_request("send a Bundle of type transaction here"));
    }
    let steps = plan(resources, bundle, base)?;
    let names = names(bundle, &steps);
    let checkpoint = resources.checkpoint();
    let answers: Result<Vec<Value>, Refusal> = entries(bundle)
        .zip(&steps)
        .map(|(entry, step)| carry_out(resources, &entry["resource"], step, &names))
        .collect();
    match answers {
        Ok(answers) => {
            Ok(json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": answers }))
        }
        Err(refusal) => {
            resources.roll_back(checkpoint);
            Err(refusal)
        }
    }
}

/// Decides for every entry before anything is written, so that conditions see the state before the transaction.
fn plan(resources: &mut Resources, bundle: &Value, base: &str) -> Result<Vec<Step>, Refusal> {
    let mut conditions = HashSet::new();
    let mut full_urls = HashSet::new();
    let mut steps = Vec::new();
    for (index, entry) in entries(bundle).enumerate() {
        let condition = entry["request"]["ifNoneExist"].as_str();
        let full_url = entry["fullUrl"].as_str();
        if condition.is_some_and(|it| !conditions.insert((resource_type(&entry["resource"]), it))) {
            return Err(Refusal::bad_request(format!("entry[{index}] has the ifNoneExist of another entry")));
        }
        if full_url.is_some_and(|it| !full_urls.insert(it)) {
            return Err(Refusal::bad_request(format!("entry[{index}] has the fullUrl of another entry")));
        }
        steps.push(step(resources, entry, base).map_err(|it| it.in_entry(index))?);
    }
    Ok(steps)
}

fn step(resources: &mut Resources, entry: &Value, base: &str) -> Result<Step, Refusal> {
    let (resource, request) = (&entry["resource"], &entry["request"]);
    let resource_type = resource_type(resource);
    check_type(resource_type)?;
    let url = request["url"].as_str().unwrap_or_default();
    match request["method"].as_str() {
        Some("POST") if url == resource_type => {
            let condition = request["ifNoneExist"].as_str();
            match existing(resources, resource_type, condition, base)? {
                Some(id) => Ok(Step::Exists { id }),
                None => Ok(Step::Create { id: resources.reserve_id(resource_type) }),
            }
        }
        Some("PUT") if url == format!("{resource_type}/{}", id(resource)) && !id(resource).is_empty() => {
            let if_match = request["ifMatch"].as_str().map(str::to_owned);
            Ok(Step::Update { id: id(resource).to_owned(), if_match })
        }
        _ => {
            Err(Refusal::bad_request("the method is not POST or PUT, or the url is not that of the resource"))
        }
    }
}

/// The resource that a condition finds. More than one is refused: the server must not choose.
pub(super) fn existing(
    resources: &Resources,
    resource_type: &str,
    condition: Option<&str>,
    base: &str,
) -> Result<Option<String>, Refusal> {
    let Some(condition) = condition else { return Ok(None) };
    let query = condition.split_once('?').map_or(condition, |(_, query)| query);
    let mut ids = Search::parse(query, base)?.ids(resources, resource_type);
    if query.is_empty() || ids.len() > 1 {
        let text = format!("{} {resource_type} resources match the condition", ids.len());
        return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "multiple-matches", text));
    }
    Ok(ids.pop())
}

/// What every fullUrl is called on this server.
fn names(bundle: &Value, steps: &[Step]) -> HashMap<String, String> {
    let named = entries(bundle).zip(steps).filter_map(|(entry, step)| {
        let (Step::Exists { id } | Step::Create { id } | Step::Update { id, .. }) = step;
        let full_url = entry["fullUrl"].as_str()?;
        Some((full_url.to_owned(), format!("{}/{id}", resource_type(&entry["resource"]))))
    });
    named.collect()
}

fn carry_out(
    resources: &mut Resources,
    resource: &Value,
    step: &Step,
    names: &HashMap<String, String>,
) -> Result<Value, Refusal> {
    let mut resource = resource.clone();
    rewrite(&mut resource, names)?;
    match step {
        Step::Exists { id } => {
            let found = resources.version(resource_type(&resource), id, None)?;
            Ok(response("200 OK", found))
        }
        Step::Create { id } => Ok(response("201 Created", &resources.write(id, resource))),
        Step::Update { if_match, .. } => {
            let written = resources.update(resource, if_match.as_deref())?;
            let created = version(&written) == "1";
            Ok(response(if created { "201 Created" } else { "200 OK" }, &written))
        }
    }
}

/// Replaces every fullUrl in a reference or an address by the name on this server. A `urn:` reference that no
/// entry answers to is refused.
fn rewrite(value: &mut Value, names: &HashMap<String, String>) -> Result<(), Refusal> {
    match value {
        Value::Object(map) => map.iter_mut().try_for_each(|(key, child)| match child {
            Value::String(text) if holds_address(key) => match names.get(text) {
                Some(name) => {
                    name.clone_into(text);
                    Ok(())
                }
                None if key == "reference" && text.starts_with("urn:") => {
                    Err(Refusal::bad_request(format!("no entry has the fullUrl {text}")))
                }
                None => Ok(()),
            },
            _ => rewrite(child, names),
        }),
        Value::Array(list) => list.iter_mut().try_for_each(|it| rewrite(it, names)),
        _ => Ok(()),
    }
}

/// Elements of type Reference, url and uri. Others, such as an identifier's value, only look like an address.
fn holds_address(key: &str) -> bool {
    matches!(key, "reference" | "url" | "uri") || key.ends_with("Url") || key.ends_with("Uri")
}

fn response(status: &str, resource: &Value) -> Value {
    let location = format!("{}/{}/_history/{}", resource_type(resource), id(resource), version(resource));
    json!({ "response": {
        "status": status,
        "location": location,
        "etag": etag(resource),
        "lastModified": resource["meta"]["lastUpdated"],
    }})
}
