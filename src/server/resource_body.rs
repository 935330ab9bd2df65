//! Answers that are FHIR resources.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use crate::fhir::client::FHIR_JSON;
use crate::fhir::resource;

/// A resource as an answer, with `ETag` and `Last-Modified` where it has a version
/// (FHIR R4, http, read).
#[derive(Clone, Debug)]
pub struct ResourceBody(pub Value);

impl IntoResponse for ResourceBody {
    fn into_response(self) -> Response {
        (StatusCode::OK, headers(&self.0), self.0.to_string()).into_response()
    }
}

/// The headers that describe a resource.
pub fn headers(resource: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
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
