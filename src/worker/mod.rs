//! Lease → step → settle, for every kind of work. The steps belong to the roads; patience is here.

mod judge;
pub mod suspects;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};

use crate::fhir::client::failure::{Class, Failure};
use crate::model::clock::Clock;
use crate::model::crash_point::crash_point;
use crate::model::delivery::{Delivery, Owed, RetrySchedule};
use crate::model::endpoint::{AttemptEnd, Change, EndpointLimits};
use crate::model::work::{Ended, Lease, Settled, Settlement, StoreError};
use crate::store::{ClaimLimits, Store};
use crate::telemetry::metrics::Metrics;
use judge::Terms;
use suspects::{Outcome, Suspects};

/// One attempt at what is owed.
#[async_trait]
pub trait Step: Send + Sync {
    /// Tries. A failure is something that a later attempt may or may not mend; the worker judges that.
    async fn attempt(&self, delivery: &Delivery) -> Result<Settlement, Failure>;
}

/// How long and how often we try.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Towards the clinic.
    pub clinic: RetrySchedule,
    /// Towards partners.
    pub partner: RetrySchedule,
    /// How long an effect is left alone whose outcome is unknown, before we look whether it is there.
    pub quiet_period: Duration,
    /// How long a lease lasts. An attempt must end well before.
    pub lease: Duration,
    /// How many attempts run at the same time.
    pub at_once: usize,
    /// How much one server may be asked to do: one that is slow or dead delays nobody else.
    pub endpoint: EndpointLimits,
    /// Servers for which other limits hold, by their endpoints.
    pub own: Arc<BTreeMap<String, EndpointLimits>>,
}

/// Works off what is due.
#[derive(Clone)]
pub struct Worker {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What to do.
    pub step: Arc<dyn Step>,
    /// How long and how often.
    pub patience: Patience,
    /// Told when a referral stands at the clinic: what the clinic did since is only then known as the
    /// referral's.
    pub forwarded: Arc<Notify>,
    /// Messages that may be poison.
    pub suspects: Arc<Suspects>,
    /// Counts attempts.
    pub metrics: Arc<Metrics>,
}

/// How long the loop sleeps at most, in case a wake-up got lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What one look for work brought.
struct Taken {
    attempts: usize,
    ask_again: Option<Timestamp>,
}

impl Worker {
    /// Works until `stop` says true, then lets what runs come to its end within `grace`. `wake` is told when
    /// there may be new work.
    pub async fn run(&self, wake: Arc<Notify>, mut stop: watch::Receiver<bool>, grace: Duration) {
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            let taken = self.take(&mut running).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "work could not be taken");
                Taken { attempts: 0, ask_again: None }
            });
            if taken.attempts > 0 {
                continue;
            }
            tokio::select! {
                Some(ended) = running.join_next() => note_end(ended),
                () = wake.notified() => {}
                () = tokio::time::sleep(self.until(taken.ask_again)) => {}
                _ = stop.changed() => {}
            }
        }
        finish(running, grace).await;
    }

    /// Takes what is due now and waits until it is settled. Returns how many attempts were made.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut running = JoinSet::new();
        let taken = self.take(&mut running).await?;
        while let Some(ended) = running.join_next().await {
            note_end(ended);
        }
        Ok(taken.attempts)
    }

    async fn take(&self, running: &mut JoinSet<()>) -> Result<Taken, StoreError> {
        let free = self.patience.at_once.saturating_sub(running.len());
        if free == 0 {
            return Ok(Taken { attempts: 0, ask_again: None });
        }
        crash_point("before-claim");
        let limits = ClaimLimits {
            in_all: free,
            endpoint: self.patience.endpoint,
            own: Some(Arc::clone(&self.patience.own)),
        };
        let claimed = self.store.claim(self.clock.now(), self.patience.lease, limits).await?;
        self.metrics.leases_lost(claimed.leases_lost);
        let attempts = claimed.leases.len();
        for lease in claimed.leases {
            let worker = self.clone();
            running.spawn(async move { worker.work(lease).await });
        }
        Ok(Taken { attempts, ask_again: claimed.ask_again })
    }

    fn until(&self, ask_again: Option<Timestamp>) -> Duration {
        let now = self.clock.now();
        let wait = ask_again.map(|it| Duration::try_from(it.duration_since(now)).unwrap_or_default());
        wait.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    async fn work(&self, lease: Lease) {
        let delivery = &lease.delivery;
        let limit = self.patience.lease.mul_f64(0.75);
        let begun = Instant::now();
        crash_point("before-send");
        let attempt = tokio::time::timeout(limit, self.step.attempt(delivery)).await;
        let result =
            attempt.unwrap_or(Err(Failure::NoAnswer { what: "attempt-too-long", may_have_happened: true }));
        let now = self.clock.now();
        let ended = self.ended(delivery, result, now);
        crash_point("before-outcome");
        if let Settlement::Quarantined(cause) = &ended.settlement {
            tell::quarantined(delivery, cause);
        }
        if let AttemptEnd::NotOffered { kind } = &ended.end {
            tell::not_offered(delivery.endpoint(), kind);
        }
        let forwarded = matches!(ended.settlement, Settlement::Forwarded(_));
        let outcome = ended.settlement.state();
        match self.store.settle(&lease, ended, now).await {
            Ok(Settled::Recorded(change)) => {
                self.metrics.attempted(delivery.endpoint(), outcome, begun.elapsed());
                if let Some(change) = change {
                    tell::change(delivery.endpoint(), &change);
                    self.hasten(delivery.endpoint(), change, now).await;
                }
                if forwarded {
                    self.forwarded.notify_one();
                }
            }
            Ok(Settled::Fenced) => {
                self.metrics.fenced();
                tracing::warn!(delivery.id = %delivery.id, "settled too late; somebody else has the lane");
            }
            Err(error) => {
                tracing::warn!(delivery.id = %delivery.id, %error, "an outcome could not be recorded");
            }
        }
    }

    /// What waited long because a server failed does not wait on when it works again; it goes as the server gets
    /// more to do.
    async fn hasten(&self, endpoint: &str, change: Change, now: Timestamp) {
        if !matches!(change, Change::Closed { .. }) {
            return;
        }
        let look_at = now.saturating_add(self.patience.quiet_period).unwrap_or(now);
        match self.store.hasten(endpoint, now, look_at).await {
            Ok(0) => {}
            Ok(deliveries) => tracing::info!(%endpoint, deliveries, "what waited for a server is due"),
            // Then it waits as long as it would have.
            Err(error) => tracing::warn!(%endpoint, %error, "what waits for a server could not be made due"),
        }
    }

    fn ended(&self, delivery: &Delivery, result: Result<Settlement, Failure>, now: Timestamp) -> Ended {
        let outcome = match &result {
            Ok(Settlement::Forwarded(_) | Settlement::Written { .. } | Settlement::Delivered { .. }) => {
                Outcome::Taken
            }
            Err(failure) if failure.status() == Some(500) && failure.class() == Class::Failing => {
                Outcome::ServerError
            }
            _ => Outcome::Other,
        };
        let poison = self.suspects.note(delivery, outcome, now);
        let failure = match result {
            Ok(settlement) => {
                let end = judge::end_of_settled(&settlement);
                return Ended { settlement, end, random: random() };
            }
            Err(failure) => failure,
        };
        let schedule = match delivery.task {
            Owed::Forward | Owed::Reply(..) => self.patience.clinic,
            Owed::Deliver(_) => self.patience.partner,
        };
        let quiet_period = self.patience.quiet_period;
        let terms = Terms { schedule, quiet_period, now, random: random(), poison };
        let ended = judge::judge(delivery, &failure, &terms);
        tell::failure(delivery, &failure, &ended.settlement);
        ended
    }
}

/// What is cut off here may have taken effect; after the next start we look before sending.
async fn finish(mut running: JoinSet<()>, grace: Duration) {
    let end = tokio::time::Instant::now() + grace;
    while let Ok(Some(ended)) = tokio::time::timeout_at(end, running.join_next()).await {
        note_end(ended);
    }
    if !running.is_empty() {
        tracing::warn!(cut_off = running.len(), "attempts were cut off at the end of the grace period");
        running.shutdown().await;
    }
}

fn note_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        // The lease runs out, and the delivery is then known as cut off.
        tracing::error!(panicked = error.is_panic(), "an attempt was cut off");
    }
}

/// Between 0 and 1, so that many that failed together do not come back together.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the waits are merely even.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
