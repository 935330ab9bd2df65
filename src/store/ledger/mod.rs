//! What the ledger remembers and owes, as statements that both databases run.

mod assertions;
mod audit;
mod claim;
mod deliveries;
mod dependencies;
mod endpoints;
mod events;
mod figures;
mod hasten;
mod housekeeping;
mod keys;
mod lanes;
mod new_referral;
mod referrals;
mod replays;
mod replies;
mod rows;
mod seal_anew;
mod settle;
mod updates;
mod work_queue;

use std::sync::Arc;

use super::Store;
use super::engine::Engine;
use super::seal::{KeyError, KeyRing, Sealer};
use super::sql::{Session, SqlError};
use super::trail::Links;
use crate::model::work::StoreError;

/// The ledger in a database.
pub struct Ledger<E> {
    pub(super) engine: E,
    sealer: Arc<Sealer>,
    links: Links,
    keys: KeyRing,
    instance: String,
}

/// The database answers, and its ledger cannot be used all the same.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The key does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E: Engine> Store for Ledger<E> {}

impl<E: Engine> Ledger<E> {
    /// Uses the ledger that an engine has opened. `instance` names this gateway among those that share it.
    pub(super) async fn unlock(engine: E, keys: &KeyRing, instance: String) -> Result<Self, UnlockError> {
        let root = keys::root(&engine, keys).await?;
        if engine.is_writable() {
            keys::adopt_present(&engine, keys, &root).await?;
        }
        let sealer = Arc::new(Sealer::new(keys, &root));
        Ok(Self { engine, sealer, links: Links::under(&root), keys: keys.clone(), instance })
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.engine.write(change).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.engine.read(query).await
    }
}
