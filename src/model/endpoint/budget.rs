//! Retries may be a fifth of the first attempts, and one a second: a server that comes back is not flooded
//! by what failed meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wait::{age, later};

/// One retry, in the unit of the bucket; so a millisecond adds 1.
const RETRY: u32 = 1000;
const PER_FIRST: u32 = RETRY / 5;
const MOST: u32 = 60 * RETRY;

/// A token bucket. It begins full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RetryBudget {
    thousandths: u32,
    at: Timestamp,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { thousandths: MOST, at: Timestamp::UNIX_EPOCH }
    }
}

impl RetryBudget {
    /// How many retries may begin, and when one more may.
    pub(super) fn ready(&self, now: Timestamp) -> (u32, Option<Timestamp>) {
        let filled = self.filled(now);
        let missing = SignedDuration::from_millis(i64::from(RETRY - filled % RETRY));
        (filled / RETRY, (filled < MOST).then(|| later(now, missing)))
    }

    pub(super) fn spend(&mut self, first: u32, retries: u32, now: Timestamp) {
        let filled = self.filled(now).saturating_sub(retries.saturating_mul(RETRY));
        self.thousandths = filled.saturating_add(first.saturating_mul(PER_FIRST)).min(MOST);
        self.at = now;
    }

    fn filled(&self, now: Timestamp) -> u32 {
        let passed = u32::try_from(age(self.at, now).as_millis()).unwrap_or(MOST);
        self.thousandths.saturating_add(passed).min(MOST)
    }
}
