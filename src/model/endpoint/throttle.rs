//! A server that asks for time gets it, from every lane (RFC 9110 §10.2.3, RFC 6585 §4).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wait::{Wait, jittered};

/// The least: a server that asks for no time at all has refused all the same.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The longest that a server may ask for.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// What a server gets that asks for time and does not say how much; doubled each time.
const UNSAID: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_UNSAID: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Throttle {
    wait: Option<Wait>,
    /// How often it asked without an answer in between.
    in_a_row: u32,
}

impl Throttle {
    /// When it is over; none: it is.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Timestamp> {
        self.wait.and_then(|wait| wait.end(now))
    }

    /// Since when it has lasted; none: it does not.
    pub(super) fn since(&self, now: Timestamp) -> Option<Timestamp> {
        self.wait.filter(|wait| wait.end(now).is_some()).map(|wait| wait.since)
    }

    /// The server asks. The longer of two waits counts. Returns its end where none was under way.
    pub(super) fn asked(
        &mut self,
        retry_after: Option<Duration>,
        now: Timestamp,
        random: f64,
    ) -> Option<Timestamp> {
        let unsaid = jittered(UNSAID.saturating_mul(1 << self.in_a_row.min(10)).min(LONGEST_UNSAID), random);
        self.in_a_row = self.in_a_row.saturating_add(1);
        let asked = retry_after.map(|it| SignedDuration::try_from(it).unwrap_or(LONGEST));
        let wait = Wait::from(now, asked.unwrap_or(unsaid).clamp(SHORTEST, LONGEST));
        let before = self.wait(now);
        if before.is_none() || before < wait.end(now) {
            self.wait = Some(wait);
        }
        wait.end(now).filter(|_| before.is_none())
    }

    pub(super) const fn answered(&mut self) {
        self.in_a_row = 0;
    }
}
