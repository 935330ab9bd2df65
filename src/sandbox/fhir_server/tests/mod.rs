//! The server's behaviour, over HTTP like any other client.

mod faults;
mod messages;
mod searches;
mod transactions;
mod versions;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{FhirServer, FhirServerOptions};
use crate::fhir::json;
use crate::model::clock::TestClock;

const SOON: Duration = Duration::from_secs(5);

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A server whose clock stands still at 2026-03-01T12:00:00Z.
async fn server() -> FhirServer {
    FhirServer::start(still()).await.unwrap()
}

fn still() -> FhirServerOptions {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    FhirServerOptions { clock: std::sync::Arc::new(TestClock::at(now)), ..FhirServerOptions::default() }
}

/// Sends a request to a path below the base, or to a complete address of the server.
async fn send(
    server: &FhirServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Reply, reqwest::Error> {
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("{}/{path}", server.base_url()).trim_end_matches('/').to_owned()
    };
    let mut request = client.request(method.parse().unwrap(), address).timeout(SOON);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.body(body.as_str().map_or_else(|| body.to_string(), str::to_owned));
    }
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = json::parse(&response.bytes().await?).unwrap_or_default();
    Ok(Reply { status, headers, body })
}

async fn get(server: &FhirServer, path: &str) -> Reply {
    send(server, "GET", path, &[], &Value::Null).await.unwrap()
}

async fn post(server: &FhirServer, path: &str, body: &Value) -> Reply {
    send(server, "POST", path, &[], body).await.unwrap()
}

fn patient(mrn: &str) -> Value {
    json!({ "resourceType": "Patient", "identifier": [{ "system": "urn:mrn", "value": mrn }] })
}
