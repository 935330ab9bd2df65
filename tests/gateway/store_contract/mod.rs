//! What every ledger must do: the same suite for each backend. Only `sqlite.rs` and `postgres.rs` are about one of
//! them.

mod accept;
mod audit;
mod between_attempts;
mod cursor;
mod damage;
mod figures;
mod housekeeping;
mod kinds;
mod lanes;
mod leases;
mod model_test;
mod postgres;
mod replays;
mod replies;
mod sqlite;
mod updates;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use referral_gateway::model::delivery::{Cause, Delivery, DeliveryState, Owed, RemoteResource};
use referral_gateway::model::endpoint::{AttemptEnd, EndpointLimits};
use referral_gateway::model::ids::{PartnerId, ReferralId};
use referral_gateway::model::partner::Share;
use referral_gateway::model::referral::{
    Acceptance, ClinicRecord, KeyScope, NewReferral, SubmissionKey, Written,
};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::update::{DecisionNote, ResourceVersion, Update};
use referral_gateway::model::work::{Effect, Ended, Lease, Settled, Settlement};
use referral_gateway::store::postgres::{PostgresOptions, PostgresStore};
use referral_gateway::store::seal::{GatewayKey, KeyRing};
use referral_gateway::store::sqlite::SqliteStore;
use referral_gateway::store::{ClaimLimits, DeliveryFilter, Noticed, Store};

use crate::support::PostgresServer;

/// A ledger that can be closed and opened again.
#[async_trait]
trait Backend: Send + Sync {
    /// Opens the ledger with these keys; an opened one must have been dropped before.
    async fn open_with(&self, keys: &KeyRing) -> Result<Arc<dyn Store>, String>;

    /// Opens it for reading, beside one that may be open.
    async fn open_read_only(&self) -> Arc<dyn Store>;

    /// Opens it with the keys of every test.
    async fn open(&self) -> Arc<dyn Store> {
        self.open_with(&keys()).await.unwrap()
    }
}

struct Sqlite(tempfile::TempDir);

#[async_trait]
impl Backend for Sqlite {
    async fn open_with(&self, keys: &KeyRing) -> Result<Arc<dyn Store>, String> {
        let opened = SqliteStore::open(&self.0.path().join("gateway.db"), keys).await;
        opened.map(|it| Arc::new(it) as Arc<dyn Store>).map_err(|error| error.to_string())
    }

    async fn open_read_only(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open_read_only(&self.0.path().join("gateway.db"), &keys()).await.unwrap())
    }
}

struct Postgres(PostgresOptions);

#[async_trait]
impl Backend for Postgres {
    async fn open_with(&self, keys: &KeyRing) -> Result<Arc<dyn Store>, String> {
        let opened = PostgresStore::open(&self.0, keys).await;
        opened.map(|it| Arc::new(it) as Arc<dyn Store>).map_err(|error| error.to_string())
    }

    async fn open_read_only(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open_read_only(&self.0, &keys()).await.unwrap())
    }
}

fn keys() -> KeyRing {
    KeyRing::of(GatewayKey::new([7; 32]))
}

/// A new ledger of each kind.
async fn backends() -> Vec<Box<dyn Backend>> {
    let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(Sqlite(tempfile::tempdir().unwrap()))];
    if let Some(server) = PostgresServer::shared() {
        backends.push(Box::new(Postgres(options(server.database().await))));
    }
    backends
}

fn options(url: String) -> PostgresOptions {
    PostgresOptions { url: Sensitive::new(url), connections: 4, instance: "the-gateway".to_owned() }
}

/// A new, open ledger of each kind.
async fn ledgers() -> Vec<(Arc<dyn Store>, Box<dyn Backend>)> {
    let mut ledgers = Vec::new();
    for backend in backends().await {
        ledgers.push((backend.open().await, backend));
    }
    ledgers
}

const LEASE: Duration = Duration::from_mins(1);
const PLENTY: ClaimLimits = limits(100, 100);

const fn limits(in_all: usize, at_once: u32) -> ClaimLimits {
    ClaimLimits { in_all, endpoint: EndpointLimits { at_once, per_second: 0 }, own: None }
}

/// An attempt that ended so and says nothing of the server.
fn ended(settlement: Settlement) -> Ended {
    Ended { settlement, end: AttemptEnd::Untouched, random: 0.5 }
}

/// So many seconds after the beginning of every test.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_773_154_800 + seconds).unwrap()
}

fn partner(id: &str) -> PartnerId {
    PartnerId::new(id)
}

fn key(value: &str) -> SubmissionKey {
    SubmissionKey { scope: KeyScope::Identifier, value: Sensitive::new(value.to_owned()) }
}

fn new_referral(from: &str, keys: &[&str], body: &str) -> NewReferral {
    NewReferral {
        id: ReferralId::new(at(0)),
        partner: partner(from),
        keys: keys.iter().map(|it| key(it)).collect(),
        found_by: keys.iter().map(|it| Sensitive::new((*it).to_owned())).collect(),
        body: Sensitive::new(body.as_bytes().to_vec()),
        canonical: Sensitive::new(body.as_bytes().to_vec()),
        received: at(0),
    }
}

async fn accept(store: &Arc<dyn Store>, from: &str, number: &str) -> ReferralId {
    match store.accept(new_referral(from, &[number], number)).await.unwrap() {
        Acceptance::Recorded(id) => id,
        other => panic!("{number} is {other:?}"),
    }
}

async fn claim(store: &Arc<dyn Store>, now: Timestamp) -> Vec<Lease> {
    store.claim(now, LEASE, PLENTY).await.unwrap().leases
}

async fn settle(store: &Arc<dyn Store>, lease: &Lease, settlement: Settlement, now: Timestamp) {
    assert_eq!(store.settle(lease, ended(settlement), now).await.unwrap(), Settled::Recorded(None));
}

/// A referral that stands at the clinic since the second 1, as ServiceRequest/{n} and Task/{n}.
async fn at_clinic(store: &Arc<dyn Store>, from: &str, n: usize) -> ReferralId {
    let referral = accept(store, from, &format!("order-{n}")).await;
    let leases = claim(store, at(0)).await;
    let lease = leases.iter().find(|it| it.delivery.referral == referral).unwrap();
    settle(store, lease, Settlement::Forwarded(record(n)), at(2)).await;
    referral
}

fn record(n: usize) -> ClinicRecord {
    let written = ["Patient", "ServiceRequest", "Task"].into_iter().enumerate();
    let written = written.map(|(entry, resource_type)| Written {
        entry: Some(entry),
        resource: version(resource_type, &n.to_string(), "1"),
    });
    ClinicRecord { written: written.collect(), at: Some(at(1)) }
}

fn version(resource_type: &str, id: &str, version: &str) -> ResourceVersion {
    ResourceVersion {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        version: version.to_owned(),
    }
}

fn update(referral: ReferralId, resource: ResourceVersion) -> Update {
    Update { referral, resource, share: Share::ReferralStatus }
}

fn noticed(updates: Vec<Update>) -> Noticed {
    Noticed {
        source: "Task",
        read_from: None,
        read_up_to: at(10),
        updates,
        links: Vec::new(),
        consents: Vec::new(),
        changed: Vec::new(),
    }
}

/// Owes the version of a Task to the partner of a referral.
async fn owe(store: &Arc<dyn Store>, referral: ReferralId, task: &str, task_version: &str) -> usize {
    let update = update(referral, version("Task", task, task_version));
    store.record(noticed(vec![update]), at(10)).await.unwrap()
}

fn decision(outcome: &'static str) -> DecisionNote {
    DecisionNote { outcome, rule: "a-rule", consents: vec!["Consent/3/_history/1".to_owned()] }
}

fn delivered() -> Settlement {
    let remote = RemoteResource { reference: "Task/8".to_owned(), etag: Some("W/\"1\"".to_owned()) };
    Settlement::Delivered {
        remote: Some(remote),
        sent_sha256: "00".to_owned(),
        decision: decision("permit"),
        remark: None,
        told: None,
    }
}

fn held() -> Settlement {
    held_on(Vec::new())
}

/// Held, and dependent on these.
fn held_on(depends_on: Vec<ResourceVersion>) -> Settlement {
    Settlement::Held { decision: decision("hold"), ask_again: at(300), depends_on }
}

fn retry(when: Timestamp, effect: Effect) -> Settlement {
    Settlement::Retry { cause: cause(), at: when, counted: true, placed: None, told_at: None, effect }
}

fn cause() -> Cause {
    Cause { code: "status", http_status: Some(503) }
}

/// Everything that is or was owed to partners, by resource and version: ids of one instant have no order.
async fn owed(store: &Arc<dyn Store>) -> Vec<Delivery> {
    let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    let mut all = store.deliveries(filter).await.unwrap();
    all.retain(|it| it.task != Owed::Forward);
    all.sort_by_key(|it| match &it.task {
        Owed::Deliver(update) => (update.resource.id.clone(), update.resource.version.clone()),
        Owed::Forward | Owed::Reply(..) => (String::new(), String::new()),
    });
    all
}

async fn states(store: &Arc<dyn Store>) -> Vec<DeliveryState> {
    owed(store).await.iter().map(|it| it.state).collect()
}
