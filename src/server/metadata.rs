//! What we can do, truthfully.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use serde_json::{Value, json};

use super::Doors;
use super::resource_body::ResourceBody;
use crate::outbound::kinds::KINDS;

/// `GET /fhir/metadata` (FHIR R4, http, capabilities).
pub async fn capability_statement(State(doors): State<Doors>) -> Response {
    let mut response = ResourceBody(statement(&doors.addresses.public_url)).into_response();
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn statement(public_url: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": { "name": "Referral Gateway", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Referrals in, consented updates back", "url": format!("{public_url}/fhir") },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "security": security(public_url),
            "resource": resources(),
            "interaction": [{ "code": "transaction" }],
        }],
    })
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

fn resources() -> Vec<Value> {
    let order = json!({
        "type": "ServiceRequest",
        "interaction": [{ "code": "create" }, { "code": "read" }, { "code": "vread" }, { "code": "search-type" }],
        "conditionalCreate": true,
        "searchParam": [parameter("_id", "token"), parameter("identifier", "token")],
    });
    let updates = KINDS.iter().map(|kind| {
        let mut search = vec![parameter("_id", "token"), parameter("based-on", "reference")];
        if kind.resource_type == "Task" {
            search.push(parameter("identifier", "token"));
        }
        json!({
            "type": kind.resource_type,
            "interaction": [{ "code": "read" }, { "code": "vread" }, { "code": "search-type" }],
            "searchParam": search,
        })
    });
    [order].into_iter().chain(updates).collect()
}

fn parameter(name: &str, kind: &str) -> Value {
    json!({ "name": name, "type": kind })
}
