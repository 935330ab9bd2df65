//! The loop that looks how much waits and how much room there is, and shuts or opens the door for referrals.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tokio::sync::watch;

use super::disk::{self, Ballast};
use crate::model::clock::Clock;
use crate::model::pressure::{Pressure, PressureLimits, Shut};
use crate::server::admission::Admission;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// A look costs at most this part of the time.
const SHARE_OF_TIME: u32 = 20;

/// Looks, and shuts or opens.
#[derive(Clone)]
pub struct PressureGauge {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) admission: Arc<Admission>,
    pub(super) metrics: Arc<Metrics>,
    /// The ledger's file and the ballast beside it; none where the ledger is a database elsewhere.
    pub(super) file: Option<(PathBuf, Ballast)>,
    pub(super) limits: PressureLimits,
    pub(super) interval: Duration,
}

impl PressureGauge {
    /// Looks until `stop` says true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let begun = Instant::now();
            self.look().await;
            tokio::select! {
                () = tokio::time::sleep(self.interval.max(begun.elapsed() * SHARE_OF_TIME)) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Looks once. A ledger that cannot be read says nothing about what waits; `/readyz` tells it.
    pub async fn look(&self) {
        let pressure = self.measure().await;
        if let (Some(free), Some((_, ballast))) = (pressure.free_disk_bytes, &self.file) {
            ballast.trim(free, self.limits.least_free(pressure.disk_bytes));
        }
        let why = self.limits.passed_by(&pressure);
        self.metrics.measured(&pressure, &why);
        let before = self.admission.set_shut(why.clone());
        if before != why {
            tell(&why, &pressure);
        }
    }

    /// The size of the write-ahead log, in bytes. One that stands over its limit is emptied first: its file does
    /// not shrink by itself once whoever kept it from being carried over has gone.
    async fn wal_bytes(&self, ledger: &Path) -> u64 {
        let found = size_of_log(ledger);
        if found <= self.limits.wal_bytes {
            return found;
        }
        // A ledger that takes no more orders is told by /readyz; the log is then as it is.
        let _ = self.store.empty_write_ahead_log().await;
        size_of_log(ledger)
    }

    async fn measure(&self) -> Pressure {
        let figures = self.store.figures().await.unwrap_or_default();
        let now = self.clock.now();
        let age = figures.oldest_undelivered().map(|at| now.duration_since(at));
        let file = self.file.as_ref().map(|(file, _)| file.as_path());
        let room = file.and_then(disk::room_beside);
        Pressure {
            undelivered: figures.undelivered(),
            oldest_undelivered: age.filter(SignedDuration::is_positive).unwrap_or_default().unsigned_abs(),
            record_wait: self.admission.recording.p99(Instant::now()),
            wal_bytes: match file {
                Some(file) => self.wal_bytes(file).await,
                None => 0,
            },
            free_disk_bytes: room.map(|it| it.free),
            disk_bytes: room.map_or(0, |it| it.whole),
        }
    }
}

/// Changes are logged, not each look.
fn tell(why: &[Shut], pressure: &Pressure) {
    if why.is_empty() {
        tracing::info!("referrals are taken again");
        return;
    }
    let words: Vec<&str> = why.iter().map(|it| it.word()).collect();
    tracing::warn!(
        shut = words.join(" "),
        undelivered = pressure.undelivered,
        oldest_s = pressure.oldest_undelivered.as_secs(),
        wal_bytes = pressure.wal_bytes,
        free_bytes = pressure.free_disk_bytes,
        "no new referrals are taken for now"
    );
}

fn size_of_log(ledger: &Path) -> u64 {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(name).map_or(0, |it| it.len())
}
