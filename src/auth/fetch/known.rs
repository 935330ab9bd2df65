//! What is known of the keys at one address, and when to read them anew. Pure: it is told the time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::read::Found;
use crate::auth::verify::{KeyName, KeysFault, PublicKeys};

/// How long an address is left alone after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How long it is left alone, after it was read, by those who look for a key that it does not have. Anybody can make up
/// a `kid`: this keeps them from making us ask again and again.
const AFTER_READING: Duration = Duration::from_secs(10);

/// How long the same key is not looked for again that was not there.
const AFTER_MISSING: Duration = Duration::from_mins(1);

/// How many missing keys are remembered; the oldest are forgotten.
const MOST_MISSING: usize = 32;

/// What to do for somebody who asks for keys.
#[derive(Debug)]
pub(super) enum Step {
    Use(Arc<PublicKeys>),
    Read,
    Refuse(KeysFault),
}

/// What is known of one address.
#[derive(Default)]
pub(super) struct Known {
    copy: Option<Copy>,
    failure: Option<Failed>,
    missing: Vec<Missing>,
}

/// The document as it was last read.
struct Copy {
    keys: Arc<PublicKeys>,
    read_at: Timestamp,
    /// Until when its server lets us keep it; not an instant longer, whatever happens there.
    until: Timestamp,
}

struct Failed {
    fault: KeysFault,
    until: Timestamp,
}

struct Missing {
    named: KeyName,
    until: Timestamp,
}

impl Known {
    /// What to do for somebody who looks for `wanted`.
    pub(super) fn step(&self, wanted: &KeyName, now: Timestamp) -> Step {
        let failure = self.failure.as_ref().filter(|it| now < it.until);
        match (self.copy_at(now), failure) {
            (Some(copy), failure) => {
                let settled = copy.keys.has(wanted) || failure.is_some() || !self.may_seek(copy, wanted, now);
                if settled { Step::Use(Arc::clone(&copy.keys)) } else { Step::Read }
            }
            (None, Some(failure)) => Step::Refuse(failure.fault.clone()),
            (None, None) => Step::Read,
        }
    }

    /// Takes in what came of reading, which began at `asked`, and gives what may be used.
    pub(super) fn learn(
        &mut self,
        found: Result<Found, KeysFault>,
        wanted: &KeyName,
        asked: Timestamp,
        now: Timestamp,
    ) -> Result<Arc<PublicKeys>, KeysFault> {
        match found {
            Ok(found) => {
                let keys = Arc::new(found.keys);
                let until = later(asked, found.lifetime);
                if !keys.has(wanted) {
                    self.note_missing(wanted, now);
                }
                self.copy = Some(Copy { keys: Arc::clone(&keys), read_at: asked, until });
                self.failure = None;
                Ok(keys)
            }
            Err(fault) => {
                self.failure = Some(Failed { fault: fault.clone(), until: later(now, AFTER_FAILURE) });
                self.copy_at(now).map(|it| Arc::clone(&it.keys)).ok_or(fault)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn missing_count(&self) -> usize {
        self.missing.len()
    }

    fn copy_at(&self, now: Timestamp) -> Option<&Copy> {
        self.copy.as_ref().filter(|it| it.read_at <= now && now < it.until)
    }

    fn may_seek(&self, copy: &Copy, wanted: &KeyName, now: Timestamp) -> bool {
        let is_missing = |it: &Missing| it.named == *wanted && now < it.until;
        later(copy.read_at, AFTER_READING) <= now && !self.missing.iter().any(is_missing)
    }

    fn note_missing(&mut self, wanted: &KeyName, now: Timestamp) {
        self.missing.retain(|it| it.named != *wanted && now < it.until);
        if self.missing.len() == MOST_MISSING {
            self.missing.remove(0);
        }
        self.missing.push(Missing { named: wanted.clone(), until: later(now, AFTER_MISSING) });
    }
}

/// A time that cannot be told is taken as now: read again.
fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(from)
}
