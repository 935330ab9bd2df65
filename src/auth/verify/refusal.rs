//! A refusal of the token endpoint: the caller gets an OAuth error, the log gets the reason.

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, PRAGMA, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::fault::{Fault, RequestFault};

/// Why no token was issued.
///
/// Source: RFC 6749 §5.2; smart.md row 3.12.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct TokenRefusal {
    fault: Fault,
    client_id: Option<String>,
    key_id: Option<String>,
}

impl TokenRefusal {
    pub(super) fn new(fault: impl Into<Fault>) -> Self {
        Self { fault: fault.into(), client_id: None, key_id: None }
    }

    /// Adds who was refused, for the log. Both texts come from outside.
    pub(super) fn naming(mut self, client_id: Option<&str>, key_id: Option<&str>) -> Self {
        self.client_id = client_id.map(loggable);
        self.key_id = key_id.map(loggable);
        self
    }

    /// 400; 401 for a client that did not authenticate; 503 while the store is away.
    pub const fn status(&self) -> StatusCode {
        match self.fault {
            Fault::Request(_) | Fault::Scope => StatusCode::BAD_REQUEST,
            Fault::Credential(_) => StatusCode::UNAUTHORIZED,
            Fault::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The OAuth 2.0 error code.
    pub const fn error(&self) -> &'static str {
        match self.fault {
            Fault::Request(RequestFault::OtherGrantType) => "unsupported_grant_type",
            Fault::Request(_) => "invalid_request",
            Fault::Credential(_) => "invalid_client",
            Fault::Scope => "invalid_scope",
            Fault::Store(_) => "temporarily_unavailable",
        }
    }

    /// The body for the caller. The same for every client that does not authenticate, known or not.
    pub fn body(&self) -> Value {
        json!({ "error": self.error(), "error_description": self.description() })
    }

    /// The headers besides Content-Type. A 401 always carries a challenge (RFC 9110 §15.5.2).
    pub fn headers(&self) -> HeaderMap {
        let mut headers = never_stored();
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="referral-gateway""#));
        }
        headers
    }

    /// One line for the log: the precise reason and who, never what was sent as proof.
    pub fn log_reason(&self) -> String {
        let client_id = self.client_id.as_deref().unwrap_or("-");
        let key_id = self.key_id.as_deref().unwrap_or("-");
        format!("{} client_id={client_id} kid={key_id}", self.fault)
    }

    fn description(&self) -> &'static str {
        match &self.fault {
            Fault::Request(fault) => fault.advice(),
            Fault::Credential(_) => "Client authentication failed. The operator's log has the reason.",
            Fault::Scope => "None of the scopes that were asked for can be granted.",
            Fault::Store(_) => "Try again with a new assertion.",
        }
    }
}

/// What every answer of the token endpoint carries (RFC 6749 §5.1).
pub(super) fn never_stored() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers
}

/// In characters.
const LONGEST_LOGGED: usize = 100;

/// Makes a text from outside fit for one log line: short, and without anything that could forge another.
pub(super) fn loggable(text: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() || "-._~:/@".contains(it) { it } else { '?' };
    text.chars().take(LONGEST_LOGGED).map(plain).collect()
}
