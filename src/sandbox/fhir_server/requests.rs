//! What arrived over HTTP, in order: the server's own account of what was done to it.

use std::collections::VecDeque;

use axum::body::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::fhir::json;

/// The oldest are forgotten beyond this many, so that a load test does not fill the memory.
const KEPT: usize = 10_000;

/// The headers that are kept.
const HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-exist",
    "prefer",
    "x-correlation-id",
    "x-request-id",
];

/// One request as it arrived. It may have had no effect.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path from the root and the query: `/fhir/Task?status=requested`.
    pub path_and_query: String,
    /// Some of the headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Bytes,
}

impl RecordedRequest {
    /// A kept header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        json::parse(&self.body).unwrap_or_default()
    }

    pub(super) fn new(method: &str, path_and_query: &str, headers: &HeaderMap, body: Bytes) -> Self {
        let kept = HEADERS.iter().filter_map(|name| {
            let value = headers.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.to_owned()))
        });
        Self {
            method: method.to_owned(),
            path_and_query: path_and_query.to_owned(),
            headers: kept.collect(),
            body,
        }
    }
}

/// The kept requests.
#[derive(Default)]
pub(super) struct Requests(VecDeque<RecordedRequest>);

impl Requests {
    pub(super) fn push(&mut self, request: RecordedRequest) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.0.iter().cloned().collect()
    }
}
