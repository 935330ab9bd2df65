//! A look at a server by people who test it: what it is, its clock, its certificate.

use std::time::Duration;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use jiff::Timestamp;
use url::Url;

use super::{FHIR_JSON, UnusableIssuers, builder, cause, certificate, clock};
use crate::fhir::{json, resource};

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest CapabilityStatement that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The version of FHIR that it says it speaks; or what happened instead, in words of ours.
    pub fhir_version: Result<String, String>,
    /// When it was by its clock as it answered, if it said so.
    pub told_time: Option<Timestamp>,
    /// Until when its certificate is good; none without TLS.
    pub certificate_until: Option<Timestamp>,
}

/// A client for looks, which tells certificates. Its requests are as those of [`super::http_client`].
pub fn looking_client(issuers: Option<&str>) -> Result<reqwest::Client, UnusableIssuers> {
    let builder = match issuers {
        Some(issuers) => {
            let issuers = reqwest::Certificate::from_pem_bundle(issuers.as_bytes());
            builder().tls_certs_only(issuers.map_err(|_| UnusableIssuers)?)
        }
        None => builder(),
    };
    builder.tls_info(true).build().map_err(|_| UnusableIssuers)
}

/// Reads `metadata` of the server at `base` once.
pub async fn look(http: &reqwest::Client, base: &Url, authorization: Option<HeaderValue>) -> Look {
    let address = format!("{}/metadata", base.as_str().trim_end_matches('/'));
    let mut request = http.get(address).header(ACCEPT, FHIR_JSON).timeout(PATIENCE);
    if let Some(token) = authorization {
        request = request.header(AUTHORIZATION, token);
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let words = cause::words(&error).to_owned();
            return Look { fhir_version: Err(words), told_time: None, certificate_until: None };
        }
    };
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>();
    let certificate_until = tls.and_then(|it| certificate::not_after(it.peer_certificate()?));
    let told_time = clock::told(answer.headers());
    Look { fhir_version: version(answer).await, told_time, certificate_until }
}

async fn version(mut answer: reqwest::Response) -> Result<String, String> {
    match answer.status().as_u16() {
        200 => {}
        401 => return Err("it does not take our token: 401".to_owned()),
        403 => return Err("our token may not read it: 403".to_owned()),
        other @ 300..=399 => {
            return Err(format!("it sends us elsewhere, which we do not follow: {other}"));
        }
        other => return Err(format!("it answered {other}")),
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause::words(&error).to_owned())? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(format!("its answer is larger than {LARGEST} bytes"));
        }
    }
    let statement = json::parse(&body).ok().filter(|it| resource::resource_type(it) == "CapabilityStatement");
    let version = statement.as_ref().map(|it| it["fhirVersion"].as_str().map(str::to_owned));
    version.flatten().ok_or_else(|| "its answer is no CapabilityStatement".to_owned())
}
