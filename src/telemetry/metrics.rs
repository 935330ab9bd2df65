//! What is counted while it happens. One function an event, so that a call site is one line.
//!
//! Labels are ids of the settings and fixed words of ours: no address, no name, nothing of a resource. Each
//! gateway has a registry of its own, handed to its parts: two of them in one process do not mix.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::gauges::{self, whole};
use crate::model::commits::CommitObserver;
use crate::model::delivery::DeliveryState;
use crate::model::looks::LookObserver;
use crate::model::pressure::{Pressure, Shut};
use crate::model::retention::Purged;

/// The counters of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    accepts: Family<AcceptLabels, Counter>,
    accept_time: Histogram,
    refusals: Family<RefusalLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    attempt_time: Family<EndpointLabels, Histogram, fn() -> Histogram>,
    fenced: Counter,
    leases_lost: Counter,
    chain_ok: Gauge,
    looks: Family<LookLabels, Counter>,
    commit_size: Histogram,
    commit_time: Histogram,
    purged: Family<PurgedLabels, Counter>,
    clock_jumps: Counter,
    wal_bytes: Gauge,
    disk_free_bytes: Gauge,
    shut: Family<ShutLabels, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ShutLabels {
    why: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AcceptLabels {
    sender: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AttemptLabels {
    endpoint: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LookLabels {
    endpoint: String,
    found: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PurgedLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: String,
}

/// What became of a referral at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// It is in the ledger.
    Recorded,
    /// It was there before; the first answer was given again.
    Repeated,
    /// The sender must change something.
    Refused,
    /// The gateway could not take it.
    Failed,
}

impl Accept {
    const fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(gauges::PREFIX),
            accepts: Family::default(),
            accept_time: seconds(),
            refusals: Family::default(),
            attempts: Family::default(),
            attempt_time: Family::new_with_constructor(seconds),
            fenced: Counter::default(),
            leases_lost: Counter::default(),
            chain_ok: Gauge::default(),
            looks: Family::default(),
            commit_size: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            commit_time: seconds(),
            purged: Family::default(),
            clock_jumps: Counter::default(),
            wal_bytes: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            shut: Family::default(),
        };
        metrics.register();
        // Until a look found otherwise.
        metrics.chain_ok.set(1);
        metrics
    }

    fn register(&mut self) {
        self.register_measured();
        self.register_ledger();
        let registry = &mut self.registry;
        registry.register(
            "accept",
            "Referrals at the door, by sender and what became of them",
            self.accepts.clone(),
        );
        registry.register_with_unit(
            "accept",
            "How long a referral took from its last byte to its answer",
            Unit::Seconds,
            self.accept_time.clone(),
        );
        registry.register("refused", "Refused requests, by the first code", self.refusals.clone());
        registry.register(
            "attempt",
            "Attempts, by endpoint and the state that they led to",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "attempt",
            "How long an attempt took",
            Unit::Seconds,
            self.attempt_time.clone(),
        );
        registry.register("fenced", "Attempts that outlived their lease: no finish", self.fenced.clone());
        registry.register(
            "reconcile",
            "Looks for an effect of ours, by server and how many were there",
            self.looks.clone(),
        );
    }

    fn register_measured(&mut self) {
        let registry = &mut self.registry;
        registry.register("wal_bytes", "Size of the ledger's write-ahead log", self.wal_bytes.clone());
        registry.register(
            "disk_free_bytes",
            "Free space where the ledger stands",
            self.disk_free_bytes.clone(),
        );
        registry.register(
            "shut",
            "1: no new referrals are taken, by the limit that is passed",
            self.shut.clone(),
        );
    }

    fn register_ledger(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "writer_batch_rows",
            "Changes that the embedded ledger committed together",
            self.commit_size.clone(),
        );
        registry.register_with_unit(
            "writer_commit",
            "How long a commit of the embedded ledger took",
            Unit::Seconds,
            self.commit_time.clone(),
        );
        registry.register("purged", "What was destroyed because of its age, by kind", self.purged.clone());
        registry.register("lease_lost", "Leases that ran out and were taken over", self.leases_lost.clone());
        registry.register(
            "ledger_chain_ok",
            "1: the trail was whole at the last look",
            self.chain_ok.clone(),
        );
        registry.register("clock_jump", "Jumps of the machine's clock", self.clock_jumps.clone());
    }

    /// A referral of this sender was answered, so long after its last byte.
    pub fn accepted(&self, sender: &str, outcome: Accept, took: Duration) {
        let labels = AcceptLabels { sender: sender.to_owned(), outcome: outcome.word() };
        self.accepts.get_or_create(&labels).inc();
        self.accept_time.observe(took.as_secs_f64());
    }

    /// A request was refused with this code of ours.
    pub fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { code }).inc();
    }

    /// An attempt at an endpoint ended, and what it found is on record.
    pub fn attempted(&self, endpoint: &str, outcome: DeliveryState, took: Duration) {
        let endpoint = endpoint.to_owned();
        let labels = AttemptLabels { endpoint: endpoint.clone(), outcome: outcome.word() };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_time.get_or_create(&EndpointLabels { endpoint }).observe(took.as_secs_f64());
    }

    /// An attempt outlived its lease: what it found did not count.
    pub fn fenced(&self) {
        self.fenced.inc();
    }

    /// So many leases had run out and were taken back.
    pub fn leases_lost(&self, count: usize) {
        self.leases_lost.inc_by(count as u64);
    }

    /// The audit trail was looked through, and is as the gateway wrote it or not.
    pub fn chain_looked_through(&self, is_whole: bool) {
        self.chain_ok.set(is_whole.into());
    }

    /// Some of what is old was destroyed.
    pub fn purged(&self, purged: Purged) {
        let kinds = [("payloads", purged.payloads), ("attempts", purged.attempts), ("trail", purged.trail)];
        for (kind, count) in kinds {
            self.purged.get_or_create(&PurgedLabels { kind }).inc_by(count);
        }
    }

    /// The machine's clock jumped.
    pub fn clock_jumped(&self) {
        self.clock_jumps.inc();
    }

    /// What was measured at the last look, and which limits it passes.
    pub fn measured(&self, pressure: &Pressure, passed: &[Shut]) {
        self.wal_bytes.set(whole(pressure.wal_bytes));
        self.disk_free_bytes.set(whole(pressure.free_disk_bytes.unwrap_or_default()));
        for limit in Shut::ALL {
            let labels = ShutLabels { why: limit.word() };
            self.shut.get_or_create(&labels).set(i64::from(passed.contains(&limit)));
        }
    }

    /// Everything as text (OpenMetrics 1.0), with what was measured just now.
    pub fn text(&self, measured: &Registry) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, measured)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl LookObserver for Metrics {
    fn looked(&self, endpoint: &str, found: &'static str) {
        self.looks.get_or_create(&LookLabels { endpoint: endpoint.to_owned(), found }).inc();
    }
}

impl CommitObserver for Metrics {
    fn committed(&self, changes: usize, took: Duration) {
        self.commit_size.observe(f64::from(u32::try_from(changes).unwrap_or(u32::MAX)));
        self.commit_time.observe(took.as_secs_f64());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From 1 ms to 33 s, by twos.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}
