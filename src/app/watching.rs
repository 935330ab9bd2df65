//! The loop that looks at the clinic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::outbound::Outbound;

/// Looks at the clinic at intervals, and whenever it is told to.
pub struct Watching {
    pub(super) outbound: Outbound,
    pub(super) interval: Duration,
    pub(super) clinic_changed: Arc<Notify>,
    pub(super) work: Arc<Notify>,
    pub(super) clinic_answers: Arc<AtomicBool>,
}

impl Watching {
    /// Looks until `stop` says true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            // A look that is broken off has recorded a page or not; it is made again after the next start.
            tokio::select! {
                () = self.look() => {}
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = self.clinic_changed.notified() => {}
                () = tokio::time::sleep(self.interval) => {}
                _ = stop.changed() => {}
            }
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
