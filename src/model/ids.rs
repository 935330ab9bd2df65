//! Names of the things that the gateway makes. All are safe to log: they say nothing about a patient.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

/// A text is not an id of the asked kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id that starts with {prefix}")]
pub struct NotAnId {
    prefix: &'static str,
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        /// A UUID version 7 behind a prefix: sorts by time, and is a legal FHIR `id`
        /// (at most 64 of `A-Z a-z 0-9 - .`; FHIR R4, datatypes, id).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl $name {
            /// What it begins with.
            pub const PREFIX: &str = $prefix;

            /// Makes a new id that sorts at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_at(now))
            }

            /// When it was made, to the millisecond. Of two that were made within one, neither is known to be
            /// the later one.
            pub fn made(self) -> Timestamp {
                let (seconds, nanoseconds) = self.0.get_timestamp().map_or((0, 0), |it| it.to_unix());
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
                Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::MAX)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let uuid = text.strip_prefix($prefix).filter(|rest| rest.len() == 36);
                let uuid = uuid.and_then(|rest| Uuid::try_parse(rest).ok());
                uuid.map(Self).ok_or(NotAnId { prefix: $prefix })
            }
        }
    };
}

prefixed_id!(
    /// Names one reply: what a partner sends about a referral that we have. Also the id of a Task by which it asks to
    /// stop one.
    ReplyId,
    "reply-"
);
prefixed_id!(
    /// Names one referral, for example `ref-0197a4c2-…`; also the id of its coordination Task.
    ReferralId,
    "ref-"
);
prefixed_id!(
    /// Names one delivery: one effect that we owe to the clinic or to a partner.
    DeliveryId,
    "dlv-"
);
prefixed_id!(
    /// Names one record of the audit trail.
    AuditId,
    "aud-"
);
prefixed_id!(
    /// Names one event: something that happened to a referral, a delivery or an endpoint.
    EventId,
    "evt-"
);
prefixed_id!(
    /// Names one replay: deliveries that an operator has sent again.
    ReplayId,
    "rpl-"
);
prefixed_id!(
    /// Names one request to us; given back as `X-Request-Id` and in every refusal.
    RequestId,
    "req-"
);

/// Names a partner, as its settings file does: `lakeside`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(String);

impl PartnerId {
    /// Wraps the id of a settings file, which `config` has checked.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PartnerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Ids of one instant sort in the order in which this process made them.
static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

fn uuid_at(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    let order = ORDER.lock().expect("no holder of this lock panics");
    Uuid::new_v7(uuid::Timestamp::from_unix(&*order, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        let now: Timestamp = "2026-03-10T15:00:00.123Z".parse().unwrap();

        let uuid = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_773_154_800, 123_000_000));
        assert_eq!(DeliveryId(uuid).made(), now);
    }

    #[test]
    fn an_id_reads_back_as_itself_and_other_text_does_not() {
        let id = ReferralId::new(Timestamp::UNIX_EPOCH);

        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("ref-1".parse::<ReferralId>().is_err());
        assert!(id.to_string().parse::<DeliveryId>().is_err());
    }
}
