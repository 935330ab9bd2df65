//! What we can do, truthfully.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::Doors;
use super::extract::version_of;
use super::resource_body::ResourceBody;
use crate::inbound::edge::type_in;
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
            "resource": resources(version),
            "interaction": [{ "code": "transaction" }],
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

fn resources(version: FhirVersion) -> Vec<Value> {
    let order = json!({
        "type": type_in("ServiceRequest", version),
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
