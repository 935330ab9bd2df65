//! The circuit breaker: a server that fails is left alone and probed, one attempt at a time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::end::{Change, Opening};
use super::recent::Recent;
use super::wait::{Wait, age, is_set_back, jittered, later};
use crate::model::ids::ReferralId;

const FAILURES_IN_A_ROW: u32 = 5;
const FIRST_OPEN: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_OPEN: SignedDuration = SignedDuration::from_mins(15);
const SUSPENDED_AFTER: SignedDuration = SignedDuration::from_hours(24);
const FORBIDDEN_LANES: usize = 3;
const FORBIDDEN_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How much of its concurrency a server gets, from so long after the circuit closed.
const RAMP: [(SignedDuration, Share); 3] = [
    (SignedDuration::ZERO, Share(5)),
    (SignedDuration::from_mins(1), Share(25)),
    (SignedDuration::from_mins(5), Share::ALL),
];

/// Per cent of the concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share(u8);

impl Share {
    const ALL: Self = Self(100);

    /// Its part of `at_once`, at least 1 where there is any.
    pub(super) fn of(self, at_once: u32) -> u32 {
        let part = u64::from(at_once) * u64::from(self.0) / 100;
        u32::try_from(part).unwrap_or(at_once).max(1).min(at_once)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Circuit {
    pub(super) phase: Phase,
    failures_in_a_row: u32,
    recent: Recent,
    /// Lanes that were forbidden something, each with the last time.
    forbidden: Vec<(String, Timestamp)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    Closed {
        /// When it closed, from which on the server gets more and more to do.
        since: Option<Timestamp>,
    },
    Open(Open),
}

impl Default for Phase {
    fn default() -> Self {
        Self::Closed { since: None }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Open {
    pub(super) why: Opening,
    pub(super) since: Timestamp,
    /// Until the next probe; none: an operator wants it now.
    wait: Option<Wait>,
    /// How many probes failed.
    failed_probes: u32,
    /// A probe is under way.
    pub(super) probing: bool,
    /// It has been open for so long that a person should look.
    pub(super) suspended: bool,
}

impl Open {
    fn new(why: Opening, now: Timestamp, random: f64) -> Self {
        let wait = Some(Wait::from(now, jittered(FIRST_OPEN, random)));
        Self { why, since: now, wait, failed_probes: 0, probing: false, suspended: false }
    }

    /// When a probe is due; none: now.
    pub(super) fn probe_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.wait.and_then(|wait| wait.end(now))
    }

    fn probe_failed(&mut self, why: Opening, now: Timestamp, random: f64) -> Option<Change> {
        self.why = why;
        self.probing = false;
        self.failed_probes = self.failed_probes.saturating_add(1);
        let doubled = FIRST_OPEN.saturating_mul(1 << self.failed_probes.min(10));
        self.wait = Some(Wait::from(now, jittered(doubled.min(LONGEST_OPEN), random)));
        let overdue = !self.suspended && age(self.since, now) >= SUSPENDED_AFTER;
        self.suspended |= overdue;
        overdue.then_some(Change::Suspended { why, since: self.since })
    }
}

impl Circuit {
    /// How much a closed circuit lets through, and when it will be more.
    pub(super) fn share(&self, now: Timestamp) -> (Share, Option<Timestamp>) {
        let Phase::Closed { since: Some(since) } = self.phase else {
            return (Share::ALL, None);
        };
        if is_set_back(since, now) {
            return (Share::ALL, None);
        }
        let passed = RAMP.iter().rev().find(|(from, _)| age(since, now) >= *from);
        let next = RAMP.iter().map(|(from, _)| later(since, *from)).find(|from| *from > now);
        (passed.map_or(Share::ALL, |(_, share)| *share), next)
    }

    pub(super) const fn untouched(&mut self) {
        if let Phase::Open(open) = &mut self.phase {
            open.probing = false;
        }
    }

    pub(super) fn answered(&mut self, now: Timestamp) -> Option<Change> {
        match &self.phase {
            Phase::Open(open) if open.probing => {
                let change = Change::Closed { why: open.why, since: open.since };
                *self = Self { phase: Phase::Closed { since: Some(now) }, ..Self::default() };
                Some(change)
            }
            // It began before the circuit opened: the probe says more.
            Phase::Open(_) => None,
            Phase::Closed { .. } => {
                self.failures_in_a_row = 0;
                self.recent.count(now, false);
                None
            }
        }
    }

    pub(super) fn failed(&mut self, why: Opening, now: Timestamp, random: f64) -> Option<Change> {
        match &mut self.phase {
            Phase::Open(open) if open.probing => open.probe_failed(why, now, random),
            Phase::Open(_) => None,
            Phase::Closed { .. } => {
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                self.recent.count(now, true);
                let fails = self.failures_in_a_row >= FAILURES_IN_A_ROW || self.recent.mostly_failed(now);
                fails.then(|| self.open(why, now, random))
            }
        }
    }

    pub(super) fn barred(&mut self, why: Opening, now: Timestamp, random: f64) -> Option<Change> {
        match &mut self.phase {
            Phase::Open(open) if open.probing => open.probe_failed(why, now, random),
            Phase::Open(_) => None,
            Phase::Closed { .. } => Some(self.open(why, now, random)),
        }
    }

    pub(super) fn forbidden(&mut self, lane: &ReferralId, now: Timestamp, random: f64) -> Option<Change> {
        match &mut self.phase {
            Phase::Open(open) if open.probing && open.why == Opening::Forbidden => {
                open.probe_failed(Opening::Forbidden, now, random)
            }
            // Whatever it was opened for is over.
            Phase::Open(_) => self.answered(now),
            Phase::Closed { .. } => {
                self.failures_in_a_row = 0;
                self.recent.count(now, false);
                let lane = lane.to_string();
                self.forbidden.retain(|(it, at)| {
                    *it != lane && age(*at, now) < FORBIDDEN_WITHIN && !is_set_back(*at, now)
                });
                self.forbidden.push((lane, now));
                let several = self.forbidden.len() >= FORBIDDEN_LANES;
                several.then(|| self.open(Opening::Forbidden, now, random))
            }
        }
    }

    /// A person wants it to be tried now.
    pub(super) const fn try_now(&mut self, now: Timestamp) {
        match &mut self.phase {
            Phase::Open(open) => open.wait = None,
            Phase::Closed { since } => *since = Some(now),
        }
    }

    fn open(&mut self, why: Opening, now: Timestamp, random: f64) -> Change {
        let open = Open::new(why, now, random);
        let probe_at = open.probe_due(now).unwrap_or(now);
        *self = Self { phase: Phase::Open(open), ..Self::default() };
        Change::Opened { why, probe_at }
    }
}
