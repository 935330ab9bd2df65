//! Who may come in now (reference: delivery B9). From the cheapest check on: connections (`listen`), token,
//! the sender's rate, room for the body, its size, and last whether the door is shut.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rate::Rates;
use super::refusal::Refusal;
use crate::model::pressure::Shut;

/// When a caller may try again where nothing tells it better.
pub const TRY_AGAIN: Duration = Duration::from_secs(30);

/// One unit of [`BodyRoom`], in bytes.
const UNIT: usize = 1024;

/// What decides at the door.
pub struct Admission {
    /// How often a client may call.
    pub clients: Arc<Rates>,
    /// How often tokens may be asked for.
    pub tokens: Rates,
    /// Room for bodies.
    pub bodies: BodyRoom,
    /// How long recording took lately.
    pub recording: Recording,
    shut: RwLock<Vec<Shut>>,
}

impl Admission {
    /// With an open door.
    pub fn new(clients: Rates, tokens: Rates, body_bytes_at_once: usize) -> Self {
        Self {
            clients: Arc::new(clients),
            tokens,
            bodies: BodyRoom::of(body_bytes_at_once),
            recording: Recording::default(),
            shut: RwLock::default(),
        }
    }

    /// Why no referrals are taken; empty: they are.
    pub fn shut(&self) -> Vec<Shut> {
        self.shut.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shuts or opens the door. Returns why it was shut before.
    pub fn set_shut(&self, why: Vec<Shut>) -> Vec<Shut> {
        let mut shut = self.shut.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *shut, why)
    }
}

/// How many bytes of bodies may be in memory together, as told by `Content-Length`.
pub struct BodyRoom(Arc<Semaphore>);

impl BodyRoom {
    fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Room for a body until what is returned is dropped. A body longer than announced is cut off by HTTP.
    pub fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(units).map_err(|_| Refusal::busy(TRY_AGAIN))
    }
}

/// How long recording took lately: the wait for the ledger's one writer is most of it.
#[derive(Default)]
pub struct Recording(Mutex<VecDeque<(Instant, Duration)>>);

impl Recording {
    const WINDOW: Duration = Duration::from_secs(10);
    const MOST: usize = 1000;

    /// Recording took so long.
    pub fn took(&self, at: Instant, time: Duration) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == Self::MOST {
            samples.pop_front();
        }
        samples.push_back((at, time));
    }

    /// How long all but one of a hundred took in the last ten seconds; zero where none was recorded. So a shut
    /// door opens again by itself.
    pub fn p99(&self, now: Instant) -> Duration {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = samples.iter().filter(|(at, _)| now.duration_since(*at) <= Self::WINDOW);
        let mut times: Vec<Duration> = recent.map(|(_, time)| *time).collect();
        times.sort_unstable();
        times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_room_until_they_are_done_with() {
        let room = BodyRoom::of(10 * UNIT);

        let first = room.enter(6 * UNIT).unwrap();
        assert!(room.enter(5 * UNIT).is_err());
        assert!(room.enter(4 * UNIT).is_ok());
        drop(first);

        assert!(room.enter(10 * UNIT).is_ok());
    }

    #[test]
    fn one_slow_recording_of_a_hundred_is_overlooked_and_an_old_one_forgotten() {
        let (recording, begin) = (Recording::default(), Instant::now());
        for number in 0..100 {
            recording.took(begin, Duration::from_millis(if number == 7 { 9000 } else { 5 }));
        }
        assert_eq!(recording.p99(begin), Duration::from_millis(5));

        recording.took(begin, Duration::from_secs(8));
        assert_eq!(recording.p99(begin), Duration::from_secs(8));
        assert_eq!(recording.p99(begin + Duration::from_secs(11)), Duration::ZERO);
    }
}
