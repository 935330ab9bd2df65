//! How we treat one server: the clinic's or a partner's. Kept between attempts and over restarts, so that a
//! server that is down or asks for time gets it from everybody (reference: delivery B7 and B9).
//!
//! Pure: the time and a random number come in as arguments. Nothing here discards anything; what may not go
//! now waits.

mod budget;
mod circuit;
mod end;
mod kinds;
mod rate;
mod recent;
#[cfg(test)]
mod tests;
mod throttle;
mod wait;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use budget::RetryBudget;
use circuit::{Circuit, Phase};
use kinds::SuspendedKinds;
use rate::Rate;
use throttle::Throttle;

pub use end::{AttemptEnd, Change, Opening};
pub use kinds::SuspendedKind;

/// How much a server may be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointLimits {
    /// So many attempts at the same time.
    pub at_once: u32,
    /// So many attempts begin in a second, on average; 0: as many as there are.
    pub per_second: u32,
}

/// What may begin at a server now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many attempts in all.
    pub in_all: u32,
    /// So many of them may be repeats of what was tried before.
    pub retries: u32,
    /// When more than this may begin; none: when an attempt ends, or a person says so.
    pub ask_again: Option<Timestamp>,
}

impl Allowance {
    const fn nothing(ask_again: Option<Timestamp>) -> Self {
        Self { in_all: 0, retries: 0, ask_again }
    }
}

/// Where one server stands. What the ledger keeps of it is its JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct EndpointState {
    paused: Option<Pause>,
    throttle: Throttle,
    circuit: Circuit,
    budget: RetryBudget,
    rate: Rate,
    suspended_kinds: SuspendedKinds,
}

/// An operator stopped it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Why, in the operator's words.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// A server and what waits for it.
#[derive(Clone, Debug)]
pub struct EndpointReport {
    /// `@clinic` or a partner's id.
    pub endpoint: String,
    /// Where the server stands.
    pub state: EndpointState,
    /// How many referrals something is owed for there.
    pub waiting: u64,
    /// How many attempts run.
    pub in_flight: u64,
}

impl EndpointState {
    /// What may begin now, while `in_flight` attempts run.
    pub fn allowance(&self, now: Timestamp, limits: &EndpointLimits, in_flight: u32) -> Allowance {
        if self.paused.is_some() {
            return Allowance::nothing(None);
        }
        if let Some(wait) = self.throttle.wait(now) {
            return Allowance::nothing(Some(wait));
        }
        if let Phase::Open(open) = &self.circuit.phase {
            return match (open.probe_due(now), in_flight) {
                // The one probe may be anything: the budget is about storms, and one is none.
                (None, 0) => Allowance { in_all: 1, retries: 1, ask_again: None },
                (wait, _) => Allowance::nothing(wait),
            };
        }
        let (share, more_from) = self.circuit.share(now);
        let room = share.of(limits.at_once).saturating_sub(in_flight);
        let (ready, rate_from) = self.rate.ready(now, limits.per_second);
        let in_all = room.min(ready);
        let (retries, budget_from) = self.budget.ready(now);
        // Each counts only where it is what holds more back.
        let waits_for = [
            more_from.filter(|_| room <= ready),
            rate_from.filter(|_| ready <= room),
            budget_from.filter(|_| retries < in_all),
        ];
        Allowance {
            in_all,
            retries: retries.min(in_all),
            ask_again: waits_for.into_iter().flatten().min().filter(|_| room > 0),
        }
    }

    /// Attempts began: `first` of what was never tried, and `retries`.
    pub fn began(&mut self, first: u32, retries: u32, now: Timestamp, limits: &EndpointLimits) {
        if let Phase::Open(open) = &mut self.circuit.phase {
            open.probing |= first + retries > 0;
        } else {
            self.budget.spend(first, retries, now);
        }
        self.rate.spend(first.saturating_add(retries), now, limits.per_second);
    }

    /// An attempt ended. `random`, between 0 and 1, keeps servers that failed together from being asked
    /// together again. What changed is to be logged, once.
    pub fn ended(&mut self, end: &AttemptEnd, now: Timestamp, random: f64) -> Option<Change> {
        match end {
            AttemptEnd::Untouched => self.circuit.untouched(),
            AttemptEnd::Answered => {
                self.throttle.answered();
                return self.circuit.answered(now);
            }
            AttemptEnd::NotOffered { kind } => {
                self.suspended_kinds.suspend(kind, now);
                self.throttle.answered();
                return self.circuit.answered(now);
            }
            AttemptEnd::NotSent => return self.circuit.failed(Opening::Unreachable, now, random),
            AttemptEnd::Failed => return self.circuit.failed(Opening::Failing, now, random),
            AttemptEnd::Barred(why) => return self.circuit.barred(*why, now, random),
            AttemptEnd::Forbidden { lane } => return self.circuit.forbidden(lane, now, random),
            AttemptEnd::Throttled { retry_after } => {
                self.circuit.untouched();
                return self
                    .throttle
                    .asked(*retry_after, now, random)
                    .map(|until| Change::Throttled { until });
            }
        }
        None
    }

    /// An operator stops it, at once and until [`EndpointState::resume`].
    pub fn pause(&mut self, by: &str, why: &str, now: Timestamp) {
        self.paused = Some(Pause { by: by.to_owned(), why: why.to_owned(), since: now });
    }

    /// An operator lets it go on. Whatever else it waited for is over too; it begins with little.
    pub fn resume(&mut self, now: Timestamp) {
        self.paused = None;
        self.throttle = Throttle::default();
        self.suspended_kinds.lift();
        self.circuit.try_now(now);
    }

    /// What the server says of itself now, as a digest. True: since that is new, kinds of writing that it did not
    /// take may be tried again.
    pub fn offers(&mut self, offer: &str) -> bool {
        self.suspended_kinds.offered(offer)
    }

    /// The kinds of writing that are not tried there.
    pub fn suspended_kinds(&self) -> &[SuspendedKind] {
        self.suspended_kinds.all()
    }

    /// Whether a kind of writing is tried there.
    pub fn takes(&self, kind: &str) -> bool {
        self.suspended_kinds().iter().all(|it| it.kind != kind)
    }

    /// Whether it is left alone but for probes.
    pub const fn is_left_alone(&self) -> bool {
        matches!(self.circuit.phase, Phase::Open(_))
    }

    /// The operator's stop, if there is one.
    pub const fn paused(&self) -> Option<&Pause> {
        self.paused.as_ref()
    }

    /// Where it stands, in a word for operators and metrics: `ready`, `limited` (a kind of writing is
    /// suspended), `recovering`, `throttled`, `open`, `probing`, `suspended` or `paused`.
    pub fn word(&self, now: Timestamp) -> &'static str {
        match &self.circuit.phase {
            _ if self.paused.is_some() => "paused",
            Phase::Open(open) if open.suspended => "suspended",
            Phase::Open(open) if open.probing => "probing",
            Phase::Open(_) => "open",
            Phase::Closed { .. } if self.throttle.wait(now).is_some() => "throttled",
            Phase::Closed { .. } if self.circuit.share(now).1.is_some() => "recovering",
            Phase::Closed { .. } if !self.suspended_kinds().is_empty() => "limited",
            Phase::Closed { .. } => "ready",
        }
    }

    /// Why it is not asked as usual: the code of an [`Opening`].
    pub const fn why(&self) -> Option<Opening> {
        match &self.circuit.phase {
            Phase::Open(open) => Some(open.why),
            Phase::Closed { .. } => None,
        }
    }

    /// Since when it has stood there; none while it is ready.
    pub fn since(&self, now: Timestamp) -> Option<Timestamp> {
        match (&self.paused, &self.circuit.phase) {
            (Some(pause), _) => Some(pause.since),
            (None, Phase::Open(open)) => Some(open.since),
            (None, Phase::Closed { since }) => {
                let recovering = since.filter(|_| self.circuit.share(now).1.is_some());
                let limited = self.suspended_kinds().iter().map(|it| it.since).min();
                self.throttle.since(now).or(recovering).or(limited)
            }
        }
    }

    /// When it is asked again; none: now, or when a person says so.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.paused.is_some() {
            return None;
        }
        let probe = match &self.circuit.phase {
            Phase::Open(open) => open.probe_due(now),
            Phase::Closed { .. } => None,
        };
        self.throttle.wait(now).max(probe)
    }
}
