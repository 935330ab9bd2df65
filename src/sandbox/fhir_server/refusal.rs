//! What the server says no to.

use http::StatusCode;
use serde_json::{Value, json};

/// A request that is not carried out, and why. The text may quote the request, as real servers do.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    code: &'static str,
    text: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into() }
    }

    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", text)
    }

    pub(super) fn precondition(text: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "conflict", text)
    }

    /// The same refusal, about one entry of a Bundle.
    pub(super) fn in_entry(mut self, index: usize) -> Self {
        self.text = format!("entry[{index}]: {}", self.text);
        self
    }

    pub(super) fn outcome(&self) -> Value {
        outcome(self.code, &self.text)
    }
}

/// An OperationOutcome with one error. Not the gateway's own: this server is somebody else's.
pub(super) fn outcome(code: &str, text: &str) -> Value {
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "error", "code": code, "diagnostics": text }],
    })
}
