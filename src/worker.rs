//! Lease → step → settle, for every kind of work. The steps belong to the roads; patience is here.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};

use crate::fhir::client::failure::Failure;
use crate::model::clock::Clock;
use crate::model::crash_point::crash_point;
use crate::model::delivery::{Cause, Delivery, Owed, RetrySchedule};
use crate::model::work::{Effect, Lease, Settled, Settlement, StoreError};
use crate::store::{ClaimLimits, Store};

/// One attempt at what is owed.
#[async_trait]
pub trait Step: Send + Sync {
    /// Tries. A failure is something that a later attempt may or may not mend; the worker judges that.
    async fn attempt(&self, delivery: &Delivery) -> Result<Settlement, Failure>;
}

/// How long and how often we try.
#[derive(Clone, Copy, Debug)]
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
    /// How many of them at one endpoint: a slow or dead server delays nobody else.
    pub per_endpoint: usize,
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
}

/// How long the loop sleeps at most, in case a wake-up got lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

impl Worker {
    /// Works until `stop` says true, then lets what runs come to its end. `wake` is told when there may be
    /// new work.
    pub async fn run(&self, wake: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            let taken = self.take(&mut running).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "work could not be taken");
                0
            });
            if taken > 0 {
                continue;
            }
            let sleep = self.until_next_due().await;
            tokio::select! {
                Some(ended) = running.join_next() => note_end(ended),
                () = wake.notified() => {}
                () = tokio::time::sleep(sleep) => {}
                _ = stop.changed() => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            note_end(ended);
        }
    }

    /// Takes what is due now and waits until it is settled. Returns how many attempts were made.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut running = JoinSet::new();
        let taken = self.take(&mut running).await?;
        while let Some(ended) = running.join_next().await {
            note_end(ended);
        }
        Ok(taken)
    }

    async fn take(&self, running: &mut JoinSet<()>) -> Result<usize, StoreError> {
        let free = self.patience.at_once.saturating_sub(running.len());
        if free == 0 {
            return Ok(0);
        }
        crash_point("before-claim");
        let limits = ClaimLimits { in_all: free, per_endpoint: self.patience.per_endpoint };
        let leases = self.store.claim(self.clock.now(), self.patience.lease, limits).await?;
        let taken = leases.len();
        for lease in leases {
            let worker = self.clone();
            running.spawn(async move { worker.work(lease).await });
        }
        Ok(taken)
    }

    async fn work(&self, lease: Lease) {
        let delivery = &lease.delivery;
        let limit = self.patience.lease.mul_f64(0.75);
        crash_point("before-send");
        let attempt = tokio::time::timeout(limit, self.step.attempt(delivery)).await;
        let result =
            attempt.unwrap_or(Err(Failure::NoAnswer { what: "attempt-too-long", may_have_happened: true }));
        let now = self.clock.now();
        let settlement = result.unwrap_or_else(|failure| self.judge(delivery, &failure, now));
        crash_point("before-outcome");
        if let Settlement::Quarantined(cause) = &settlement {
            tracing::warn!(
                delivery.id = %delivery.id,
                referral.id = %delivery.referral,
                cause = cause.code,
                "a delivery is quarantined; a person must look"
            );
        }
        let forwarded = matches!(settlement, Settlement::Forwarded(_));
        match self.store.settle(&lease, settlement, now).await {
            Ok(Settled::Recorded) if forwarded => self.forwarded.notify_one(),
            Ok(Settled::Recorded) => {}
            Ok(Settled::Fenced) => {
                tracing::warn!(delivery.id = %delivery.id, "settled too late; somebody else has the lane");
            }
            Err(error) => {
                tracing::warn!(delivery.id = %delivery.id, %error, "an outcome could not be recorded");
            }
        }
    }

    /// Whether and when to try again (reference: delivery B7). Time is the limit, not the number of attempts.
    fn judge(&self, delivery: &Delivery, failure: &Failure, now: Timestamp) -> Settlement {
        let cause = Cause { code: failure.code(), http_status: failure.status() };
        let schedule = match delivery.task {
            Owed::Forward => self.patience.clinic,
            Owed::Deliver(_) => self.patience.partner,
        };
        let age = now.duration_since(delivery.since).unsigned_abs();
        let over = age >= schedule.deadline;
        tracing::warn!(
            delivery.id = %delivery.id,
            referral.id = %delivery.referral,
            cause = cause.code,
            http.status = cause.http_status,
            lasting = failure.is_lasting(),
            over,
            "an attempt failed"
        );
        if failure.is_lasting() || over {
            return Settlement::Dead(cause);
        }
        let effect = if failure.may_have_happened() { Effect::Unknown } else { Effect::None };
        let wait = schedule.wait(delivery.attempts + 1, failure.retry_after(), random());
        let wait = if effect == Effect::Unknown { wait.max(self.patience.quiet_period) } else { wait };
        Settlement::Retry { cause, at: now.saturating_add(wait).unwrap_or(now), effect }
    }

    async fn until_next_due(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            // Due, and not taken: its endpoint has as many attempts as it may have.
            Ok(Some(due)) if due <= now => Duration::from_millis(50),
            Ok(Some(due)) => due.duration_since(now).unsigned_abs().min(LONGEST_SLEEP),
            _ => LONGEST_SLEEP,
        }
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
