//! How the client comes by an access token.

use async_trait::async_trait;
use http::HeaderValue;

/// No token could be had. Holds codes only; the cause is logged where it happened.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// The token endpoint could not be reached, or failed.
    #[error("the token endpoint did not answer usefully")]
    Unavailable,
    /// The token endpoint refused us, with this OAuth 2.0 error code (RFC 6749 §5.2).
    #[error("the token endpoint refused us: {0}")]
    Refused(String),
}

/// Gives the `Authorization` header for requests to one server.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// The header's value, marked as sensitive; none where the server asks for nothing.
    async fn authorization(&self) -> Result<Option<HeaderValue>, TokenError>;

    /// The server answered 401: the next call must not give the same token again.
    async fn forget(&self);
}
