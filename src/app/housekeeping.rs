//! The loop that keeps the ledger in order: replays go on, what is old is destroyed, and what a former key
//! sealed is sealed anew.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::model::clock::Clock;
use crate::model::retention::Retention;
use crate::model::work::StoreError;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// How often replays are looked at.
const TICK: Duration = Duration::from_secs(1);

/// How often old things are looked for. One gateway does it for all that share the ledger.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// Keeps the ledger in order.
#[derive(Clone)]
pub struct Housekeeper {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) work: Arc<Notify>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) retention: Retention,
    pub(super) has_former_keys: bool,
}

impl Housekeeper {
    /// Works until `stop` says true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut ticks, mut sealing) = (0_u64, self.has_former_keys);
        while !*stop.borrow() {
            if let Err(error) = self.tick(ticks, &mut sealing).await {
                tracing::warn!(%error, "the ledger could not be kept in order; it is tried again");
            }
            ticks += 1;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn tick(&self, ticks: u64, sealing: &mut bool) -> Result<(), StoreError> {
        self.replay().await?;
        if *sealing && self.store.seal_anew().await? == 0 {
            *sealing = false;
            tracing::info!(
                "everything is sealed under the present key; the former key files are needed no more"
            );
        }
        if ticks.is_multiple_of(PURGE_EVERY.as_secs()) {
            self.purge().await?;
        }
        Ok(())
    }

    /// Makes due what replays may make due now.
    pub async fn replay(&self) -> Result<(), StoreError> {
        while self.store.replay_some(self.clock.now()).await? {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Destroys what need not be kept any longer.
    pub async fn purge(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.store.take_turn("purge", now, PURGE_EVERY / 2).await? {
            return Ok(());
        }
        loop {
            let purged = self.store.purge(self.retention, now).await?;
            if purged.is_nothing() {
                break;
            }
            self.metrics.purged(purged);
            tracing::info!(
                payloads = purged.payloads,
                attempts = purged.attempts,
                trail = purged.trail,
                "what is old was destroyed"
            );
        }
        while self.store.give_back().await? > 0 {}
        Ok(())
    }
}
