//! A wait that no clock can freeze.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A clock that went back by less than this is believed: the wait grows by as much at most.
const SLIP: SignedDuration = SignedDuration::from_mins(1);

/// From an instant on, until another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wait {
    pub(super) since: Timestamp,
    until: Timestamp,
}

impl Wait {
    pub(super) fn from(since: Timestamp, length: SignedDuration) -> Self {
        Self { since, until: later(since, length) }
    }

    /// When it ends; none: it is over. A clock that stands well before its beginning was set back, and
    /// nobody knows how much is left: then it is over too, since one request too early does no harm and a
    /// wait for years does.
    pub(super) fn end(&self, now: Timestamp) -> Option<Timestamp> {
        (now < self.until && !is_set_back(self.since, now)).then_some(self.until)
    }
}

/// `by` later, or as late as can be told.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether the clock was set back behind `earlier` by more than a slip.
pub(super) fn is_set_back(earlier: Timestamp, now: Timestamp) -> bool {
    earlier.duration_since(now) > SLIP
}

/// How long ago `earlier` was; nothing where the clock went back.
pub(super) fn age(earlier: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(earlier).max(SignedDuration::ZERO)
}

/// `length` times U(0.75, 1.25); `random` is between 0 and 1.
pub(super) fn jittered(length: SignedDuration, random: f64) -> SignedDuration {
    // `clamp` lets NaN through, and a duration cannot be made of it.
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
    length.mul_f64(0.75 + random / 2.0)
}
