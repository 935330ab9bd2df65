//! Opening the ledger that the settings name.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use super::StartError;
use crate::config::settings::{Database, PostgresDatabase, Store as Settings};
use crate::model::clock::{Clock, SteadyClock, SystemClock};
use crate::model::ids::RequestId;
use crate::store::Store;
use crate::store::postgres::{PostgresOptions, PostgresStore};
use crate::store::seal::{GatewayKey, KeyError, KeyRing};
use crate::store::sqlite::SqliteStore;
use crate::telemetry::metrics::Metrics;

/// An opened ledger.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// The time that all who share the ledger have in common.
    pub(super) clock: Arc<dyn Clock>,
    /// The gateway's present key, which also signs access tokens.
    pub(super) key: GatewayKey,
    postgres: Option<Arc<PostgresStore>>,
}

impl Opened {
    /// Tells `work` when another gateway says that there is some.
    pub(super) fn listen(&self, work: &Arc<Notify>) {
        if let Some(postgres) = &self.postgres {
            postgres.listen(work);
        }
    }
}

/// Opens or makes the ledger, for a gateway.
pub(super) async fn open(settings: &Settings, metrics: &Arc<Metrics>) -> Result<Opened, StartError> {
    match &settings.database {
        Database::Sqlite(file) => {
            let keys = keys(settings, !SqliteStore::exists(file))?;
            let commits = Arc::clone(metrics) as _;
            let store = Arc::new(SqliteStore::open_observed(file, &keys, commits).await?);
            let metrics = Arc::clone(metrics);
            let clock = Arc::new(SteadyClock::start(move || metrics.clock_jumped()));
            Ok(Opened { store, clock, key: keys.current, postgres: None })
        }
        Database::Postgres(database) => {
            let options = options(database);
            let is_new = !PostgresStore::exists(&options).await?;
            let keys = keys(settings, is_new)?;
            let store = Arc::new(PostgresStore::open(&options, &keys).await?);
            let clock = Arc::new(store.clock().await?);
            Ok(Opened { store: Arc::clone(&store) as _, clock, key: keys.current, postgres: Some(store) })
        }
    }
}

/// Opens the ledger of gateways that may be running, for reading only.
pub async fn open_read_only(settings: &Settings) -> Result<Arc<dyn Store>, StartError> {
    match &settings.database {
        Database::Sqlite(file) if !SqliteStore::exists(file) => {
            Err(StartError::NoLedger(file.display().to_string()))
        }
        Database::Sqlite(file) => {
            Ok(Arc::new(SqliteStore::open_read_only(file, &keys(settings, false)?).await?))
        }
        Database::Postgres(database) => {
            let options = options(database);
            Ok(Arc::new(PostgresStore::open_read_only(&options, &keys(settings, false)?).await?))
        }
    }
}

fn options(database: &PostgresDatabase) -> PostgresOptions {
    // A name of its own: it takes up nothing that another gateway had begun, before leases run out.
    let unnamed = || RequestId::new(SystemClock.now()).to_string();
    PostgresOptions {
        url: database.url.clone(),
        connections: database.connections,
        instance: database.instance.clone().unwrap_or_else(unnamed),
    }
}

/// The keys of these settings; the present one is made where the store is new.
pub(super) fn keys(settings: &Settings, store_is_new: bool) -> Result<KeyRing, KeyError> {
    let read = |file: &PathBuf| GatewayKey::read_or_make(file, false);
    Ok(KeyRing {
        current: GatewayKey::read_or_make(&settings.encryption_key_file, store_is_new)?,
        former: settings.former_key_files.iter().map(read).collect::<Result<_, _>>()?,
    })
}
