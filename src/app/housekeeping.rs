//! The loop that keeps the ledger in order: replays go on, what is old is destroyed, and what a former key
//! sealed is sealed anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::config::settings::Config;
use crate::fhir::client::FhirClient;
use crate::model::audit::TrailHead;
use crate::model::clock::Clock;
use crate::model::delivery::CLINIC;
use crate::model::retention::Retention;
use crate::model::work::StoreError;
use crate::server::Doors;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// How often replays are looked at.
const TICK: Duration = Duration::from_secs(1);

/// How often old things are looked for. One gateway does it for all that share the ledger.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// How often a server that does not take a kind of writing is asked what it offers now.
const LOOK_AT_OFFERS_EVERY: Duration = Duration::from_mins(5);

/// How often what is new in the audit trail is looked through. Each gateway does it, and all of it after its start.
const LOOK_AT_TRAIL_EVERY: Duration = Duration::from_mins(10);

/// What is kept between ticks.
pub struct Progress {
    sealing: bool,
    /// Up to where the trail was found to be as the gateway wrote it.
    trail: TrailHead,
}

/// Keeps the ledger in order.
#[derive(Clone)]
pub struct Housekeeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    work: Arc<Notify>,
    metrics: Arc<Metrics>,
    retention: Retention,
    has_former_keys: bool,
    /// The servers that we write to, by their endpoints.
    servers: BTreeMap<String, FhirClient>,
}

impl Housekeeper {
    /// Of a gateway with these parts.
    pub(super) fn of(config: &Config, store: &Arc<dyn Store>, doors: &Doors) -> Self {
        let partners = doors.outbound.servers.iter().map(|(id, it)| (id.to_string(), it.clone()));
        Self {
            store: Arc::clone(store),
            clock: Arc::clone(&doors.clock),
            work: Arc::clone(&doors.work),
            metrics: Arc::clone(&doors.metrics),
            retention: config.store.retention,
            has_former_keys: !config.store.former_key_files.is_empty(),
            servers: partners.chain([(CLINIC.to_owned(), doors.inbound.clinic.clone())]).collect(),
        }
    }

    /// Works until `stop` says true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut ticks, mut progress) = (0_u64, self.progress());
        while !*stop.borrow() {
            if let Err(error) = self.tick(ticks, &mut progress).await {
                tracing::warn!(%error, "the ledger could not be kept in order; it is tried again");
            }
            ticks += 1;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn tick(&self, ticks: u64, progress: &mut Progress) -> Result<(), StoreError> {
        self.replay().await?;
        if progress.sealing && self.store.seal_anew().await? == 0 {
            progress.sealing = false;
            tracing::info!(
                "everything is sealed under the present key; the former key files are needed no more"
            );
        }
        if ticks.is_multiple_of(PURGE_EVERY.as_secs()) {
            self.purge().await?;
        }
        if ticks.is_multiple_of(LOOK_AT_OFFERS_EVERY.as_secs()) {
            self.look_at_offers().await?;
        }
        if ticks.is_multiple_of(LOOK_AT_TRAIL_EVERY.as_secs()) {
            self.look_at_trail(progress).await?;
        }
        Ok(())
    }

    /// Nothing is done yet.
    pub fn progress(&self) -> Progress {
        let trail = TrailHead { number: 0, link: String::new() };
        Progress { sealing: self.has_former_keys, trail }
    }

    /// Looks through what is new in the audit trail. Where something is wrong, that is looked at again each time.
    pub async fn look_at_trail(&self, progress: &mut Progress) -> Result<(), StoreError> {
        let report = self.store.inspect_behind(progress.trail.clone()).await?;
        let is_whole = report.tampering.is_empty();
        self.metrics.chain_looked_through(is_whole);
        if is_whole {
            progress.trail = report.head;
        } else {
            tracing::error!("the audit trail is not as the gateway wrote it; audit verify tells where");
        }
        Ok(())
    }

    /// Asks servers that do not take a kind of writing what they offer now. Where that has changed, what was held
    /// because of it goes.
    pub async fn look_at_offers(&self) -> Result<(), StoreError> {
        for report in self.store.endpoints().await? {
            let is_asked = !report.state.suspended_kinds().is_empty() && report.state.paused().is_none();
            let Some(server) = self.servers.get(&report.endpoint).filter(|_| is_asked) else {
                continue;
            };
            // One that does not answer says nothing new.
            let Ok(offer) = server.offer().await else {
                continue;
            };
            if self.store.offered(&report.endpoint, &offer, self.clock.now()).await? {
                tracing::info!(endpoint = %report.endpoint, "a server offers something else now; what was held goes");
                self.work.notify_one();
            }
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
