//! How attempts of the last minute ended.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wait::{age, is_set_back};

const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Attempts are counted in slots of this length, so that the state stays small.
const SLOT: SignedDuration = SignedDuration::from_secs(5);
/// Fewer attempts say nothing.
const ENOUGH: u32 = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recent(Vec<Slot>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    from: Timestamp,
    attempts: u32,
    failures: u32,
}

impl Recent {
    pub(super) fn count(&mut self, now: Timestamp, failed: bool) {
        self.0.retain(|slot| counts(slot, now));
        let failures = u32::from(failed);
        match self.0.last_mut() {
            Some(slot) if age(slot.from, now) < SLOT => {
                slot.attempts = slot.attempts.saturating_add(1);
                slot.failures = slot.failures.saturating_add(failures);
            }
            _ => self.0.push(Slot { from: now, attempts: 1, failures }),
        }
    }

    /// Whether at least half of at least twenty attempts failed.
    pub(super) fn mostly_failed(&self, now: Timestamp) -> bool {
        let slots = self.0.iter().filter(|slot| counts(slot, now));
        let (attempts, failures) = slots.fold((0_u32, 0_u32), |(attempts, failures), slot| {
            (attempts.saturating_add(slot.attempts), failures.saturating_add(slot.failures))
        });
        attempts >= ENOUGH && failures.saturating_mul(2) >= attempts
    }
}

fn counts(slot: &Slot, now: Timestamp) -> bool {
    age(slot.from, now) < WINDOW && !is_set_back(slot.from, now)
}
