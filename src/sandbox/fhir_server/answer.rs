//! An answer, before and as HTTP.

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use super::refusal::{Refusal, outcome};
use super::routes::etag;
use crate::fhir::resource::{id, last_updated, resource_type, version};

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head>\
                          <body><h1>Sign in to continue</h1></body></html>";

/// What the server answers.
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Option<Value>,
}

impl Answer {
    /// 200 with content that has no version of its own.
    pub(super) const fn plain(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some(body) }
    }

    pub(super) const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// 200 with one version of a resource.
    pub(super) fn version(resource: Value) -> Self {
        let mut headers = vec![(header::ETAG, etag(&resource))];
        let printer = DateTimePrinter::new();
        if let Some(text) =
            last_updated(&resource).and_then(|it| printer.timestamp_to_rfc9110_string(&it).ok())
        {
            headers.push((header::LAST_MODIFIED, text));
        }
        Self { status: StatusCode::OK, headers, body: Some(resource) }
    }

    /// 201 with the new resource and its address.
    pub(super) fn created(resource: Value, base: &str) -> Self {
        let (kind, id, version) = (resource_type(&resource), id(&resource), version(&resource));
        let location = format!("{base}/{kind}/{id}/_history/{version}");
        let mut answer = Self::version(resource);
        answer.status = StatusCode::CREATED;
        answer.headers.push((header::LOCATION, location));
        answer
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        let mut answer = Self::plain(refusal.outcome());
        answer.status = refusal.status;
        if refusal.status == StatusCode::UNAUTHORIZED {
            answer.headers.push((header::WWW_AUTHENTICATE, "Bearer".to_owned()));
        }
        answer
    }

    /// An answer that was ordered as a fault.
    pub(super) fn faulty(status: u16, body: Option<Value>) -> Self {
        let body = body.unwrap_or_else(|| outcome("exception", "this answer was ordered"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: Option<String>) -> Self {
        self.headers.extend(value.map(|it| (name, it)));
        self
    }

    /// Leaves the content out where the caller asked for `return=minimal` (FHIR R4, http, prefer).
    pub(super) fn minimal(mut self, prefer: Option<&str>) -> Self {
        if prefer == Some("return=minimal") && self.status.is_success() {
            self.body = None;
        }
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => with_type(Body::from(body.to_string()), FHIR_JSON),
            None => Response::new(Body::empty()),
        };
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// 200 with the page that a portal shows to whoever is not signed in.
pub(super) fn login_page() -> Response {
    with_type(Body::from(LOGIN_PAGE), "text/html; charset=utf-8")
}

/// Whatever was ordered.
pub(super) fn raw(status: u16, headers: Vec<(&'static str, String)>, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
