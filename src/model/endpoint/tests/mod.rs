//! One server over time, without a server and without waiting.

mod circuit;
mod limits;
mod properties;
mod standing;
mod throttle;

use jiff::{SignedDuration, Timestamp};

use super::*;

const LIMITS: EndpointLimits = EndpointLimits { at_once: 40, per_second: 0 };

/// A server and the clock beside it.
struct Server {
    state: EndpointState,
    now: Timestamp,
    limits: EndpointLimits,
    in_flight: u32,
}

impl Server {
    fn new() -> Self {
        let now = "2026-03-10T15:00:00Z".parse().unwrap();
        Self { state: EndpointState::default(), now, limits: LIMITS, in_flight: 0 }
    }

    /// A server that failed five times in a row.
    fn down() -> Self {
        let mut server = Self::new();
        for _ in 0..5 {
            server.attempt(&AttemptEnd::Failed);
        }
        server
    }

    fn after(&mut self, seconds: i64) -> &mut Self {
        self.now = wait::later(self.now, SignedDuration::from_secs(seconds));
        self
    }

    fn allowance(&self) -> Allowance {
        self.state.allowance(self.now, &self.limits, self.in_flight)
    }

    fn begin(&mut self, first: u32, retries: u32) {
        self.state.began(first, retries, self.now, &self.limits);
        self.in_flight += first + retries;
    }

    fn end(&mut self, end: &AttemptEnd) -> Option<Change> {
        self.in_flight -= 1;
        self.state.ended(end, self.now, 0.5)
    }

    fn attempt(&mut self, end: &AttemptEnd) -> Option<Change> {
        self.begin(1, 0);
        self.end(end)
    }

    fn word(&self) -> &'static str {
        self.state.word(self.now)
    }
}

fn lane(number: i64) -> AttemptEnd {
    let lane = format!("ref-00000000-0000-7000-8000-{number:012}").parse().unwrap();
    AttemptEnd::Forbidden { lane }
}

fn seconds_from(now: Timestamp, then: Option<Timestamp>) -> Option<i64> {
    then.map(|then| then.duration_since(now).as_secs())
}
