//! Why a request did not do what it should, and whether it may have taken effect all the same.

use std::time::Duration;

use super::token::TokenError;

/// A failed request. Holds codes only: no address, no body, no diagnostics of the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not a byte of the request was taken.
    #[error("not sent: {0}")]
    NotSent(&'static str),
    /// The request left, and no complete answer came.
    #[error("no answer: {what}")]
    NoAnswer {
        /// A code of ours.
        what: &'static str,
        /// Whether the request could change anything.
        may_have_happened: bool,
    },
    /// The server refused or failed.
    #[error("answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
        /// The server's OperationOutcome says that it may work later.
        says_transient: bool,
        /// Whether the request could change anything.
        may_have_happened: bool,
    },
    /// The answer cannot be used.
    #[error("unusable answer: {what}")]
    Unusable {
        /// A code of ours.
        what: &'static str,
        /// Whether the request could change anything.
        may_have_happened: bool,
    },
    /// No token could be had.
    #[error(transparent)]
    Token(TokenError),
}

impl Failure {
    /// A stable code for records and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSent(what) | Self::NoAnswer { what, .. } | Self::Unusable { what, .. } => what,
            Self::Status { .. } => "status",
            Self::Token(_) => "no-token",
        }
    }

    /// The status that the server gave.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether time alone cannot mend it (reference: delivery B7).
    pub const fn is_lasting(&self) -> bool {
        match self {
            Self::Status { status: 400 | 422, says_transient: true, .. } => false,
            Self::Status { status, .. } => !matches!(
                *status,
                401 | 408 | 409 | 412 | 421 | 423 | 425 | 429 | 500 | 502 | 503 | 504 | 507
            ),
            _ => false,
        }
    }

    /// Whether it may have taken effect: then look before sending again.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::NoAnswer { may_have_happened, .. } | Self::Unusable { may_have_happened, .. } => {
                *may_have_happened
            }
            Self::Status { status, may_have_happened, .. } => {
                *may_have_happened && matches!(*status, 408 | 500 | 502 | 503 | 504)
            }
            Self::NotSent(_) | Self::Token(_) => false,
        }
    }

    /// How long the server asks us to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same failure of a request that could not change anything.
    #[must_use]
    pub(super) fn harmless(self) -> Self {
        match self {
            Self::Unusable { what, .. } => Self::Unusable { what, may_have_happened: false },
            other => other,
        }
    }

    /// What `reqwest` says, as our codes; its own text would tell the address.
    pub(super) fn of(error: &reqwest::Error, may_have_happened: bool) -> Self {
        if error.is_connect() {
            Self::NotSent("not-connected")
        } else if error.is_builder() {
            Self::NotSent("bad-request")
        } else if error.is_timeout() {
            Self::NoAnswer { what: "timeout", may_have_happened }
        } else {
            Self::NoAnswer { what: "connection-lost", may_have_happened }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Failure {
        Failure::Status { status, retry_after: None, says_transient: false, may_have_happened: true }
    }

    #[test]
    fn statuses_are_sorted_by_what_time_can_mend_and_what_may_have_happened() {
        let lasting: Vec<u16> = [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504]
            .into_iter()
            .filter(|it| status(*it).is_lasting())
            .collect();
        let unknown: Vec<u16> = [400, 408, 409, 422, 429, 500, 502, 503, 504]
            .into_iter()
            .filter(|it| status(*it).may_have_happened())
            .collect();

        assert_eq!(lasting, [400, 403, 404, 410, 413, 422]);
        assert_eq!(unknown, [408, 500, 502, 503, 504]);
    }
}
