//! What an attempt tells of the server, and what changes by it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::ids::ReferralId;

/// What the end of an attempt says about the server, whatever it says about the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Nothing: the server was not asked, such as where consent holds the update.
    Untouched,
    /// It answered, if only to refuse this message: it works.
    Answered,
    /// It answered, and does not take messages of this kind in the way that it says, asked twice.
    NotOffered {
        /// Which, as [`Delivery::kind`](crate::model::delivery::Delivery::kind) names it.
        kind: String,
    },
    /// It could not be reached: not a byte was taken.
    NotSent,
    /// It failed, or no complete answer came.
    Failed,
    /// It asks for time: nothing goes to it until then.
    Throttled {
        /// How long, where it says so.
        retry_after: Option<Duration>,
    },
    /// It can be used by no message as things stand.
    Barred(Opening),
    /// It forbids this message. Three lanes that are forbidden something within ten minutes say that it is
    /// not about a message.
    Forbidden {
        /// The referral whose lane it is.
        lane: ReferralId,
    },
}

impl AttemptEnd {
    /// The word for logs and metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Answered => "answered",
            Self::NotOffered { .. } => "not-offered",
            Self::NotSent => "not-sent",
            Self::Failed => "failed",
            Self::Throttled { .. } => "throttled",
            Self::Barred(why) => why.code(),
            Self::Forbidden { .. } => "forbidden",
        }
    }
}

/// Why nothing but one probe at a time goes to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// It could not be reached.
    Unreachable,
    /// It fails, or does not answer.
    Failing,
    /// It does not accept our credentials, also when they are fresh; or no token can be had.
    Auth,
    /// Its certificate cannot be trusted: expired, of an unknown issuer, or for another name.
    Tls,
    /// Its address or what it offers does not fit the settings: a redirect, a base address that it does not
    /// know, none of the ways to write once.
    Configuration,
    /// It forbids several referrals.
    Forbidden,
}

impl Opening {
    /// The code that logs, records and operators know it by.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Failing => "failing",
            Self::Auth => "auth",
            Self::Tls => "tls",
            Self::Configuration => "configuration",
            Self::Forbidden => "forbidden",
        }
    }
}

/// What changed about a server. Logged once; the tries in between are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on one probe at a time goes to it.
    Opened {
        /// Why.
        why: Opening,
        /// When the first probe is due.
        probe_at: Timestamp,
    },
    /// It has been like that for a day: a person should look. It is still probed, and nothing is discarded.
    Suspended {
        /// Why it is not used.
        why: Opening,
        /// Since when.
        since: Timestamp,
    },
    /// It works again.
    Closed {
        /// Why it was not used.
        why: Opening,
        /// Since when.
        since: Timestamp,
    },
    /// It asked for time.
    Throttled {
        /// Until when.
        until: Timestamp,
    },
}
