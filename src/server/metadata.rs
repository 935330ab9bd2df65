//! What we can do, truthfully.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::Doors;
use super::extract::version_of;
use super::resource_body::ResourceBody;
use super::routes::{self, Offer};
use crate::inbound::edge::type_in;
use crate::inbound::message_events;
use crate::model::fhir_version::FhirVersion;
use crate::outbound::kinds::KINDS;

/// `GET /fhir/metadata` (FHIR R4, http, capabilities).
/// For a caller whose token tells who it is, in the version that it speaks.
pub async fn capability_statement(State(doors): State<Doors>, headers: HeaderMap) -> Response {
    let version = version_of(&headers, &doors);
    let statement = statement(&doors.addresses.public_url, version);
    let mut response = ResourceBody::as_is(statement, version).into_response();
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn statement(public_url: &str, version: FhirVersion) -> Value {
    let mut statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": { "name": "Referral Gateway", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Referrals in, consented updates back", "url": format!("{public_url}/fhir") },
        "fhirVersion": version.full(),
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "security": security(public_url),
            "resource": resources(public_url, version),
            "interaction": system_interactions(),
            "operation": operations(None, public_url),
        }],
        "messaging": [{
            "endpoint": [{
                "protocol": {
                    "system": "http://terminology.hl7.org/CodeSystem/message-transport",
                    "code": "http",
                },
                "address": format!("{public_url}/fhir/$process-message"),
            }],
            "documentation": format!(
                "A new referral, by one of these events: {}. The reply comes at once.",
                message_events().collect::<Vec<_>>().join(", "),
            ),
        }],
    });
    if version == FhirVersion::Stu3 {
        // Required there, and gone since.
        statement["acceptUnknown"] = json!("no");
    }
    statement
}

fn security(public_url: &str) -> Value {
    json!({
        "service": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
            "code": "SMART-on-FHIR",
        }]}],
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [{ "url": "token", "valueUri": format!("{public_url}/oauth2/token") }],
        }],
    })
}

fn system_interactions() -> Vec<Value> {
    let system = routes::offers().filter_map(|it| match it {
        Offer::System(code) => Some(json!({ "code": code })),
        _ => None,
    });
    system.collect()
}

/// Every type that a route names, in the order of the routes; then those of updates.
fn resources(public_url: &str, version: FhirVersion) -> Vec<Value> {
    let mut types: Vec<&str> = Vec::new();
    let named = routes::offers().filter_map(|it| match it {
        Offer::Type(resource_type, _) | Offer::Operation(Some(resource_type), ..) => Some(resource_type),
        _ => None,
    });
    for resource_type in named.chain(KINDS.iter().map(|it| it.resource_type)) {
        if !types.contains(&resource_type) {
            types.push(resource_type);
        }
    }
    types.into_iter().map(|it| resource(it, public_url, version)).collect()
}

fn resource(resource_type: &str, public_url: &str, version: FhirVersion) -> Value {
    let codes = interactions(resource_type);
    let mut resource = json!({ "type": type_in(resource_type, version) });
    if !codes.is_empty() {
        let listed: Vec<Value> = codes.iter().map(|it| json!({ "code": it })).collect();
        resource["interaction"] = Value::Array(listed);
    }
    if codes.contains(&"create") && matches!(resource_type, "ServiceRequest" | "Task") {
        resource["conditionalCreate"] = json!(true);
    }
    if codes.contains(&"search-type") {
        resource["searchParam"] = Value::Array(search_parameters(resource_type));
    }
    let operations = operations(Some(resource_type), public_url);
    if !operations.is_empty() {
        resource["operation"] = Value::Array(operations);
    }
    resource
}

fn interactions(resource_type: &str) -> Vec<&'static str> {
    let is_update = KINDS.iter().any(|it| it.resource_type == resource_type);
    let mut codes = Vec::new();
    let offered = routes::offers().filter_map(|it| match it {
        Offer::Type(of, code) if of == resource_type => Some(code),
        Offer::Updates(code) if is_update => Some(code),
        _ => None,
    });
    for code in offered {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn search_parameters(resource_type: &str) -> Vec<Value> {
    let mut parameters = vec![parameter("_id", "token")];
    if resource_type != "ServiceRequest" {
        parameters.push(parameter("based-on", "reference"));
    }
    if matches!(resource_type, "ServiceRequest" | "Task") {
        parameters.push(parameter("identifier", "token"));
    }
    parameters
}

fn operations(on: Option<&str>, public_url: &str) -> Vec<Value> {
    let operations = routes::offers().filter_map(|it| match it {
        Offer::Operation(of, name, definition) if of == on => {
            let own = if definition.starts_with('/') { public_url } else { "" };
            Some(json!({ "name": name, "definition": format!("{own}{definition}") }))
        }
        _ => None,
    });
    operations.collect()
}

fn parameter(name: &str, kind: &str) -> Value {
    json!({ "name": name, "type": kind })
}
