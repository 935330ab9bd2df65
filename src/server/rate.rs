//! How often a caller may call: the generic cell rate algorithm (ITU-T I.371), one instant a caller.
//!
//! Ours rather than a crate's, since it counts on the gateway's clock: tests need no waiting, and a clock that is
//! set back by an hour must not lock a partner out for an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::client::{CallLimit, Rate};
use crate::model::clock::Clock;

/// So many callers may be known that are not registered; beyond, those whose bucket is full again are forgotten.
const MOST_REMEMBERED: usize = 10_000;

/// The limits of several callers.
pub struct Rates {
    clock: Arc<dyn Clock>,
    default: Rate,
    own: HashMap<String, Rate>,
    /// When each caller's bucket is full again.
    full_at: Mutex<HashMap<String, Timestamp>>,
}

impl Rates {
    /// Everybody has `default` who has no rate of its `own`.
    pub fn new(clock: Arc<dyn Clock>, default: Rate, own: HashMap<String, Rate>) -> Self {
        Self { clock, default, own, full_at: Mutex::default() }
    }
}

impl CallLimit for Rates {
    fn take(&self, caller: &str) -> Result<(), Duration> {
        let rate = self.own.get(caller).copied().unwrap_or(self.default);
        let now = self.clock.now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST_REMEMBERED {
            full_at.retain(|_, at| *at > now);
        }
        let next = after_one(full_at.get(caller).copied().unwrap_or(now), now, rate)?;
        full_at.insert(caller.to_owned(), next);
        Ok(())
    }
}

/// When the bucket is full again after one more request, or how long to wait for it.
fn after_one(full_at: Timestamp, now: Timestamp, rate: Rate) -> Result<Timestamp, Duration> {
    let interval = Duration::from_secs(1) / rate.per_second.max(1);
    let bucket = interval * rate.burst.max(1);
    let later = |from: Timestamp, by: Duration| from.saturating_add(by).unwrap_or(Timestamp::MAX);
    // A bucket cannot be emptier than empty; if it seems so, the clock was set back.
    let full_at = full_at.clamp(now, later(now, bucket));
    let next = later(full_at, interval);
    match next.duration_since(later(now, bucket)) {
        over if over.is_positive() => Err(over.unsigned_abs()),
        _ => Ok(next),
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::model::clock::TestClock;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    fn rates(own: &[(&str, Rate)]) -> (Arc<TestClock>, Rates) {
        let clock = Arc::new(TestClock::at("2026-03-10T15:00:00Z".parse().unwrap()));
        let own = own.iter().map(|(id, rate)| ((*id).to_owned(), *rate)).collect();
        (Arc::clone(&clock), Rates::new(clock, RATE, own))
    }

    fn taken(rates: &Rates, caller: &str) -> usize {
        iter::repeat_with(|| rates.take(caller)).take(1000).take_while(Result::is_ok).count()
    }

    #[test]
    fn a_burst_is_taken_and_then_one_for_each_interval() {
        let (clock, rates) = rates(&[]);

        assert_eq!(taken(&rates, "lakeside"), 3);
        assert_eq!(rates.take("lakeside"), Err(Duration::from_millis(100)));
        clock.advance(Duration::from_millis(99));
        assert_eq!(rates.take("lakeside"), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(taken(&rates, "lakeside"), 1);
        clock.advance(Duration::from_mins(1));
        assert_eq!(taken(&rates, "lakeside"), 3, "a bucket holds no more than a burst");
    }

    #[test]
    fn callers_do_not_use_up_each_others_share_and_may_have_their_own() {
        let (_, rates) = rates(&[("hillside", Rate { per_second: 1, burst: 7 })]);

        assert_eq!((taken(&rates, "lakeside"), taken(&rates, "hillside")), (3, 7));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let now: Timestamp = "2026-03-10T15:00:00Z".parse().unwrap();
        let full_at = now + Duration::from_hours(1);

        assert_eq!(after_one(full_at, now, RATE), Err(Duration::from_millis(100)));
    }

    #[test]
    fn callers_whose_bucket_is_full_again_are_forgotten() {
        let (clock, rates) = rates(&[]);
        for number in 0..MOST_REMEMBERED {
            rates.take(&number.to_string()).unwrap();
        }
        clock.advance(Duration::from_secs(1));

        rates.take("one more").unwrap();

        assert_eq!(rates.full_at.lock().unwrap().len(), 1);
    }
}
