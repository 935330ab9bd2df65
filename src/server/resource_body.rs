//! Answers that are FHIR resources.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use crate::fhir::resource;
use crate::inbound::edge::for_version;
use crate::model::fhir_version::FhirVersion;

/// A resource as an answer, with `ETag` and `Last-Modified` where it has a version
/// (FHIR R4, http, read).
#[derive(Clone, Debug)]
pub struct ResourceBody {
    resource: Value,
    version: FhirVersion,
}

impl ResourceBody {
    /// An answer in R4.
    pub const fn r4(resource: Value) -> Self {
        Self { resource, version: FhirVersion::R4 }
    }

    /// An answer that is written in this version already.
    pub const fn as_is(resource: Value, version: FhirVersion) -> Self {
        Self { resource, version }
    }

    /// A resource of R4 as an answer in the version that the caller speaks.
    pub fn in_version(resource: Value, version: FhirVersion) -> Self {
        Self { resource: for_version(resource, version), version }
    }
}

impl IntoResponse for ResourceBody {
    fn into_response(self) -> Response {
        let headers = headers(&self.resource, self.version);
        (StatusCode::OK, headers, self.resource.to_string()).into_response()
    }
}

/// The headers that describe a resource.
pub fn headers(resource: &Value, version: FhirVersion) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(version.media_type()));
    let version = resource::version(resource);
    if let Some(value) = header(&format!("W/\"{version}\"")).filter(|_| !version.is_empty()) {
        headers.insert(ETAG, value);
    }
    let date = resource::last_updated(resource)
        .and_then(|it| DateTimePrinter::new().timestamp_to_rfc9110_string(&it).ok());
    if let Some(value) = date.as_deref().and_then(header) {
        headers.insert(LAST_MODIFIED, value);
    }
    headers
}

/// A header value, if the text can be one.
pub fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
