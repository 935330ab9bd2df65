//! So many attempts in a second (generic cell rate algorithm, ITU-T I.371): on average the rate, and at most
//! one second's worth at once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wait::{is_set_back, later};

const SECOND: i64 = 1_000_000_000;

/// When the next attempt would be due if all of them kept the rate evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rate {
    next: Option<Timestamp>,
}

impl Rate {
    /// How many attempts may begin, and when one more may; `per_second` 0 is no limit.
    pub(super) fn ready(&self, now: Timestamp, per_second: u32) -> (u32, Option<Timestamp>) {
        let Some(interval) = interval(per_second) else {
            return (u32::MAX, None);
        };
        let ahead = self.ahead(now);
        let free = (SECOND - ahead).max(0) / interval;
        let missing = interval * (free + 1) - (SECOND - ahead);
        let one_more = later(now, SignedDuration::from_nanos(missing));
        (u32::try_from(free).unwrap_or(u32::MAX).min(per_second), Some(one_more))
    }

    pub(super) fn spend(&mut self, attempts: u32, now: Timestamp, per_second: u32) {
        self.next = interval(per_second).map(|interval| {
            let spent = interval.saturating_mul(i64::from(attempts));
            later(now, SignedDuration::from_nanos(self.ahead(now).saturating_add(spent)))
        });
    }

    /// How far `next` lies ahead, in nanoseconds. It can be a second at most: further ahead, the clock was
    /// set back.
    fn ahead(&self, now: Timestamp) -> i64 {
        let next = self.next.filter(|next| *next > now && !is_set_back(*next, now));
        let ahead = next.map_or(SignedDuration::ZERO, |next| next.duration_since(now));
        i64::try_from(ahead.as_nanos()).unwrap_or_default()
    }
}

fn interval(per_second: u32) -> Option<i64> {
    SECOND.checked_div(i64::from(per_second)).map(|interval| interval.max(1))
}
