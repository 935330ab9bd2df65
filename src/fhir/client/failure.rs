//! Why a request did not do what it should, and whether it may have taken effect all the same.

use std::time::Duration;

use super::cause::{self, Unconnected};
use super::token::TokenError;
use crate::fhir::message::Response;

/// A failed request. Holds codes only: no address, no body, no diagnostics of the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent, for a reason on our side; the server was not asked.
    #[error("not sent: {0}")]
    NotSent(&'static str),
    /// Nothing was sent, because another server that it takes did not do its part.
    #[error("not sent: {code}")]
    AtSource {
        /// A code of ours.
        code: &'static str,
        /// The status that the other server gave.
        status: Option<u16>,
    },
    /// The server could not be reached: not a byte of the request was taken.
    #[error("not reached: {0}")]
    NotReached(&'static str),
    /// The server's certificate cannot be trusted: not a byte of the request was sent.
    #[error("the certificate cannot be trusted")]
    Certificate,
    /// The server offers none of the ways to write once.
    #[error("no way to write once")]
    NoWay,
    /// The server says that it does not keep resources of this type.
    #[error("a type that the server does not keep")]
    UnknownType,
    /// It was taken, after an earlier try that may have been taken too: whether there is one and not two is
    /// yet to be seen.
    #[error("taken, and not yet seen to be the only one")]
    Unverified {
        /// Where it stands, if that is news.
        placed: Option<String>,
    },
    /// The request left, and no complete answer came.
    #[error("no answer: {what}")]
    NoAnswer {
        /// A code of ours.
        what: &'static str,
        /// Whether the request could change anything.
        may_have_happened: bool,
    },
    /// The server accepted it and tells later, at an address of its own, what became of it (202). The address is
    /// never logged.
    #[error("accepted; what becomes of it is told later")]
    Pending {
        /// Where.
        told_at: String,
        /// How long the server asks us to wait before we ask there.
        retry_after: Option<Duration>,
    },
    /// The server refused or failed.
    #[error("answered {}", .0.status)]
    Status(Refused),
    /// The receiver of a message says in its reply that it did not do it.
    #[error("replied {}", .response.code())]
    Replied {
        /// What it says.
        response: Response,
        /// The HTTP status.
        status: u16,
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

/// An answer that says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// What the request was addressed to.
    pub target: Target,
    /// How long the server asks us to wait.
    pub retry_after: Option<Duration>,
    /// What the body says of the refusal.
    pub says: Says,
    /// Whether the request could change anything.
    pub may_have_happened: bool,
    /// The length of the request's body, in bytes.
    pub sent_bytes: usize,
}

/// What the body of a refusal says, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Says {
    /// Nothing of that.
    #[default]
    Nothing,
    /// The same request may work later.
    Transient,
    /// The same was taken before.
    Duplicate,
    /// What the request is about is not there: a server that is not there says nothing like that.
    NotFound,
}

/// What a request is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The server itself, such as a transaction.
    Base,
    /// All resources of a type, such as a search or a create.
    Type,
    /// One resource.
    Resource,
    /// What became of an earlier request.
    Outcome,
    /// The receiver of messages.
    Message,
}

/// What a failure calls for (reference: delivery B7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The server was not asked.
    Ours,
    /// The server could not be reached.
    NotReached,
    /// Time may mend it. The server works.
    Passing,
    /// Time may mend it, and a good deal of it. The server works.
    PassingSlowly,
    /// The server fails.
    Failing,
    /// The server asks for time.
    Throttled,
    /// Somebody changed it meanwhile.
    Conflict,
    /// The server cannot do what was asked in this way.
    NotSupported,
    /// It is not allowed; whether this or anything is not known.
    Forbidden,
    /// Time alone cannot mend it.
    Lasting,
    /// The server accepts no credentials of ours.
    Credentials,
    /// The server's certificate cannot be trusted.
    Certificate,
    /// The server's address, or what it offers, does not fit the settings.
    Configuration,
}

impl Failure {
    /// A stable code for records and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSent(what)
            | Self::AtSource { code: what, .. }
            | Self::NotReached(what)
            | Self::NoAnswer { what, .. }
            | Self::Unusable { what, .. } => what,
            Self::Status(_) => "status",
            Self::Replied { response, .. } => response.code(),
            Self::Token(_) => "no-token",
            Self::Certificate => "certificate",
            Self::NoWay => "no-way-to-write-once",
            Self::UnknownType => "type-not-kept",
            Self::Unverified { .. } => "verifying",
            Self::Pending { .. } => "accepted-only",
        }
    }

    /// The status that the server gave.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status(refused) => Some(refused.status),
            Self::AtSource { status, .. } => *status,
            Self::Replied { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What it calls for.
    pub const fn class(&self) -> Class {
        match self {
            Self::NotSent(_) | Self::AtSource { .. } => Class::Ours,
            Self::NotReached(_) | Self::Token(TokenError::Unavailable) => Class::NotReached,
            Self::Token(TokenError::Refused(_)) => Class::Credentials,
            Self::Certificate => Class::Certificate,
            Self::NoWay => Class::Configuration,
            Self::UnknownType => Class::NotSupported,
            Self::Replied { response: Response::FatalError, .. } => Class::Lasting,
            Self::Unverified { .. } | Self::Pending { .. } | Self::Replied { .. } => Class::Passing,
            Self::NoAnswer { .. } | Self::Unusable { .. } => Class::Failing,
            Self::Status(refused) => refused.class(),
        }
    }

    /// Whether time alone cannot mend it.
    pub const fn is_lasting(&self) -> bool {
        matches!(self.class(), Class::Lasting | Class::Forbidden | Class::NotSupported)
    }

    /// Whether it may have taken effect: then look before sending again.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::NoAnswer { may_have_happened, .. } | Self::Unusable { may_have_happened, .. } => {
                *may_have_happened
            }
            // 501 says that nothing was even tried; any other 5xx may have come from something in between.
            Self::Unverified { .. } | Self::Pending { .. } => true,
            Self::Status(refused) => {
                refused.may_have_happened && matches!(refused.status, 408 | 500 | 502..=506 | 508..)
            }
            _ => false,
        }
    }

    /// How long the server asks us to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(refused) => refused.retry_after,
            Self::Pending { retry_after, .. } => *retry_after,
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
        if error.is_builder() {
            Self::NotSent("bad-request")
        } else if error.is_connect() {
            match cause::of(error) {
                Unconnected::Certificate => Self::Certificate,
                Unconnected::Handshake => Self::NotReached("tls-handshake"),
                Unconnected::Other => Self::NotReached("not-connected"),
            }
        } else if error.is_timeout() {
            Self::NoAnswer { what: "timeout", may_have_happened }
        } else {
            Self::NoAnswer { what: "connection-lost", may_have_happened }
        }
    }
}

impl Refused {
    /// The table of B7, by status.
    const fn class(&self) -> Class {
        match (self.status, self.target) {
            (404, Target::Message) if matches!(self.says, Says::NotFound) => Class::Lasting,
            (300..=399, _) | (404, Target::Base | Target::Message) => Class::Configuration,
            (401, _) => Class::Credentials,
            (403, _) => Class::Forbidden,
            (400 | 422, _) if matches!(self.says, Says::Transient) => Class::Passing,
            (408 | 421 | 423 | 425, _) => Class::Passing,
            (409 | 412, _) => Class::Conflict,
            // A server that does not know a type says 404 to it (FHIR R4, http, create).
            (405 | 406 | 415 | 428 | 501, _) | (404, Target::Type) => Class::NotSupported,
            (429, _) => Class::Throttled,
            (503, _) if self.retry_after.is_some() => Class::Throttled,
            (507, _) => Class::PassingSlowly,
            (500.., _) => Class::Failing,
            _ => Class::Lasting,
        }
    }
}
