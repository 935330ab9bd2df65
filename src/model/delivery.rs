//! One effect that we owe: to the clinic a referral or a reply, to a partner an update.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{DeliveryId, PartnerId, ReferralId, ReplyId};
use super::reply::ReplyKind;
use super::sensitive::Sensitive;
use super::update::Update;

/// What is owed, and how far it is.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id; also names the effect at the other side, so that a repeat is known there.
    pub id: DeliveryId,
    /// The referral that it belongs to.
    pub referral: ReferralId,
    /// The partner whose referral it is.
    pub partner: PartnerId,
    /// What to do.
    pub task: Owed,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts failed so far; holds do not count.
    pub attempts: u32,
    /// An earlier attempt may have taken effect: look before sending.
    pub effect_unknown: bool,
    /// When it was recorded.
    pub created: Timestamp,
    /// From when on its deadline counts: since it was recorded, last held, or retried by hand.
    pub since: Timestamp,
    /// When the next attempt is due.
    pub due: Timestamp,
    /// Where an earlier version of the same resource stands at the partner.
    pub remote: Option<RemoteResource>,
    /// Where it was put when it was sent again after an unknown outcome; what is owed since then is to see
    /// that there is one and not two.
    pub placed: Option<String>,
    /// Where its server tells what became of it, which it accepted and did not do at once (202).
    pub told_at: Option<Sensitive<String>>,
    /// How often in a row its server answered 500 to it.
    pub server_errors: u32,
    /// Since when; none: the last answer was another.
    pub server_errors_since: Option<Timestamp>,
    /// Why it stands where it stands, as a code of ours; none while all is well.
    pub reason: Option<String>,
}

/// The clinic's server, as an endpoint among the partners': no partner's id begins so.
pub const CLINIC: &str = "@clinic";

/// What the reason of a delivery begins with whose kind its server does not take; the kind follows.
pub const KIND_SUSPENDED: &str = "kind-suspended:";

impl Delivery {
    /// The server that it goes to: `@clinic`, or the partner's id.
    pub fn endpoint(&self) -> &str {
        match self.task {
            Owed::Forward | Owed::Reply(..) => CLINIC,
            Owed::Deliver(_) => self.partner.as_str(),
        }
    }

    /// What is written, as far as a server may take one kind and not another: `forward` for a referral,
    /// `reply-communication` for a reply, or
    /// `create-Task` and `update-Task` for an update, by interaction (FHIR R4, http) and resource type.
    pub fn kind(&self) -> String {
        let interaction = if self.remote.is_some() { "update" } else { "create" };
        match &self.task {
            Owed::Forward => "forward".to_owned(),
            Owed::Reply(_, kind) => format!("reply-{}", kind.word()),
            Owed::Deliver(update) => format!("{interaction}-{}", update.resource.resource_type),
        }
    }

    /// Why it is held whose kind its server does not take.
    pub fn suspended_reason(&self) -> String {
        format!("{KIND_SUSPENDED}{}", self.kind())
    }
}

/// The kinds of effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    /// Write the referral to the clinic.
    Forward,
    /// Take to the clinic what the partner sent about it.
    Reply(ReplyId, ReplyKind),
    /// Send an update to the partner.
    Deliver(Update),
}

/// The states of a delivery (reference: delivery B3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Waits for its first attempt.
    Queued = 0,
    /// Somebody works on it.
    InFlight = 1,
    /// Failed; waits for the next attempt.
    RetryWait = 2,
    /// May have taken effect; waits for the quiet period, then looks.
    UnknownWait = 3,
    /// Consent does not allow it now.
    Held = 4,
    /// Done.
    Delivered = 5,
    /// Needs a person.
    Dead = 6,
    /// Needs a person; something must not be guessed at.
    Quarantined = 7,
    /// A newer version took its place.
    Superseded = 8,
    /// Waits in the partner's inbox.
    InInbox = 9,
    /// An operator decided that it is not to be done.
    Cancelled = 10,
}

impl DeliveryState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::InFlight,
        Self::RetryWait,
        Self::UnknownWait,
        Self::Held,
        Self::Delivered,
        Self::Dead,
        Self::Quarantined,
        Self::Superseded,
        Self::InInbox,
        Self::Cancelled,
    ];

    /// The state of a stored number.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|index| Self::ALL.get(index).copied())
    }

    /// Whether it moves by itself, towards an end that is not known yet. What consent holds moves only when
    /// something changes.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::InFlight | Self::RetryWait | Self::UnknownWait)
    }

    /// Whether an attempt will be made when it is due.
    pub const fn is_tried_again(self) -> bool {
        matches!(self, Self::Queued | Self::RetryWait | Self::UnknownWait | Self::Held)
    }

    /// The word that operators read and type.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in-flight",
            Self::RetryWait => "retry-wait",
            Self::UnknownWait => "unknown-wait",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Quarantined => "quarantined",
            Self::Superseded => "superseded",
            Self::InInbox => "in-inbox",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why an attempt failed: codes only, safe to log and to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// A stable code of ours, such as `timeout` or `refused`.
    pub code: &'static str,
    /// The status that the other side gave, where it gave one.
    pub http_status: Option<u16>,
}

/// A resource of ours at the partner's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteResource {
    /// The relative reference there, `Task/8`.
    pub reference: String,
    /// Its ETag, for `If-Match` on the next update.
    pub etag: Option<String>,
}

/// When failed attempts are repeated, and when they end. Time is the limit, not their number
/// (reference: delivery B7).
#[derive(Clone, Copy, Debug)]
pub struct RetrySchedule {
    /// The wait after the first failure.
    pub first: Duration,
    /// How long after its start a delivery is given up.
    pub deadline: Duration,
}

impl RetrySchedule {
    const STEPS: [u32; 8] = [1, 6, 24, 120, 360, 720, 1440, 2880];
    const LAST_STEP: u32 = 4320;
    const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(6);

    /// How long to wait after `failures` failed attempts, counted from 1.
    ///
    /// With a first wait of 5 s: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, then every 6 h.
    /// `retry_after` (RFC 9110 §10.2.3) only ever lengthens the wait, by at most 6 h.
    /// `jitter` is between 0 and 1 and moves the wait within ±25 %.
    pub fn wait(&self, failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
        let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let factor = Self::STEPS.get(step).copied().unwrap_or(Self::LAST_STEP);
        let wait = self.first.saturating_mul(factor).mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0);
        wait.max(retry_after.unwrap_or_default().min(Self::RETRY_AFTER_LIMIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_as_its_state() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_number(state as i64), Some(state));
        }
        assert_eq!(DeliveryState::from_number(11), None);
    }

    #[test]
    fn waits_grow_to_six_hours_and_retry_after_only_lengthens_them() {
        let schedule = RetrySchedule { first: Duration::from_secs(5), deadline: Duration::from_hours(72) };

        let waits: Vec<u64> = (1..=10).map(|n| schedule.wait(n, None, 0.5).as_secs()).collect();

        assert_eq!(waits, [5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 21600]);
        assert_eq!(schedule.wait(1, Some(Duration::from_mins(1)), 0.5).as_secs(), 60);
        assert_eq!(schedule.wait(3, Some(Duration::from_secs(1)), 0.5).as_secs(), 120);
        assert_eq!(schedule.wait(1, Some(Duration::from_hours(99)), 0.5).as_secs(), 21600);
    }
}
