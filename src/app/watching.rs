//! The loop that looks at the clinic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::model::clock::Clock;
use crate::outbound::Outbound;
use crate::store::Store;

/// Looks at the clinic at intervals, and whenever it is told to.
pub struct Watching {
    pub(super) outbound: Outbound,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) interval: Duration,
    pub(super) clinic_changed: Arc<Notify>,
    pub(super) work: Arc<Notify>,
    pub(super) clinic_answers: Arc<AtomicBool>,
}

impl Watching {
    /// Looks until `stop` says true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut told = true;
        while !*stop.borrow() {
            // A look that is broken off has recorded a page or not; it is made again after the next start.
            tokio::select! {
                () = self.look_if_it_is_our_turn(told) => {}
                _ = stop.changed() => return,
            }
            told = tokio::select! {
                () = self.clinic_changed.notified() => true,
                () = tokio::time::sleep(self.interval) => false,
                _ = stop.changed() => false,
            };
        }
    }

    /// Of the gateways that share a ledger one looks at intervals; whoever is told of a change looks at once.
    async fn look_if_it_is_our_turn(&self, told: bool) {
        let lasts = self.interval.saturating_mul(2);
        let turn = self.store.take_turn("watch the clinic", self.clock.now(), lasts).await;
        if told || turn.unwrap_or_default() {
            self.look().await;
        }
    }

    /// Changes of the clinic's state are logged, not each look: a clinic that is down for a day says so once.
    async fn look(&self) {
        match self.outbound.notice().await {
            Ok(_) => {
                // Consents may have changed too: held updates are due then.
                self.work.notify_one();
                if !self.clinic_answers.swap(true, Ordering::AcqRel) {
                    tracing::info!("the clinic's server answers");
                }
            }
            Err(error) => {
                if self.clinic_answers.swap(false, Ordering::AcqRel) {
                    tracing::warn!(%error, "the clinic's server cannot be read");
                }
            }
        }
    }
}
