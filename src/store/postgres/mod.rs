//! The ledger in a PostgreSQL database, for several equal gateways. They share the work by the leases of
//! lanes; nothing is kept in a session, so that a connection may go through a pooler.

mod clock;
mod merged;
mod open;
mod session;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

use self::session::{PostgresSession, failure};
use self::wake::Announcer;
use super::engine::Engine;
use super::ledger::Ledger;
use super::seal::KeyRing;
use super::sql::{Session, SqlError};
use crate::model::work::StoreError;

pub use self::clock::DatabaseClock;
pub use self::open::{OpenError, PostgresOptions};

/// A ledger in a PostgreSQL database.
pub type PostgresStore = Ledger<Postgres>;

/// A PostgreSQL database.
pub struct Postgres {
    pool: PgPool,
    /// One for each connection that may write.
    writers: Arc<Semaphore>,
    announcer: Announcer,
    may_write: bool,
}

/// How often a change runs again that another transaction was in the way of.
const TRIES: u32 = 8;

/// How long a change waits for a connection before its caller is told that there is too much waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A change takes milliseconds. What holds rows and does not go on, such as a gateway that stands still or whose
/// network is gone, is ended by the database before those that wait for the rows give up. `LOCAL` ends with the
/// transaction, so that a pooler keeps nothing of it.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '4s'; SET LOCAL lock_timeout = '5s'; \
                     SET LOCAL statement_timeout = '30s'";

impl Ledger<Postgres> {
    /// Opens or makes the ledger.
    pub async fn open(options: &PostgresOptions, keys: &KeyRing) -> Result<Self, OpenError> {
        let pool = open::for_writing(options).await?;
        Self::over(pool, options, keys, true).await
    }

    /// Whether a ledger is there already.
    pub async fn exists(options: &PostgresOptions) -> Result<bool, OpenError> {
        open::has_ledger(options).await
    }

    /// Opens the ledger of gateways that may be running, for reading only.
    pub async fn open_read_only(options: &PostgresOptions, keys: &KeyRing) -> Result<Self, OpenError> {
        let pool = open::for_reading(options).await?;
        Self::over(pool, options, keys, false).await
    }

    async fn over(
        pool: PgPool,
        options: &PostgresOptions,
        keys: &KeyRing,
        may_write: bool,
    ) -> Result<Self, OpenError> {
        let writers = options.connections.saturating_sub(1).max(1);
        let engine = Postgres {
            announcer: Announcer::start(pool.clone()),
            pool,
            writers: Arc::new(Semaphore::new(writers as usize)),
            may_write,
        };
        Ok(Self::unlock(engine, keys, options.instance.clone()).await?)
    }

    /// The database's time, which all gateways that share it have in common.
    pub async fn clock(&self) -> Result<DatabaseClock, OpenError> {
        DatabaseClock::start(self.engine.pool.clone()).await
    }

    /// Tells `work` when another gateway says that there is some. A hint only: it may get lost.
    pub fn listen(&self, work: &Arc<Notify>) {
        Announcer::listen(self.engine.pool.clone(), Arc::downgrade(work));
    }
}

impl Engine for Postgres {
    async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.may_write {
            return Err(StoreError::Unavailable("the ledger is open for reading only".to_owned()));
        }
        let free = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.writers).acquire_owned()).await;
        let permit = free.map_err(|_| StoreError::Busy)?;
        let (pool, announcer) = (self.pool.clone(), self.announcer.clone());
        let handle = Handle::current();
        blocking(move || {
            let _permit = permit;
            let (answer, work_added) = commit_in_the_end(&pool, &handle, &change)?;
            if work_added {
                announcer.announce();
            }
            Ok(answer)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (pool, handle) = (self.pool.clone(), Handle::current());
        blocking(move || {
            let connection = handle.block_on(pool.acquire()).map_err(|error| failure(&error))?;
            query(&PostgresSession::reading(connection, handle))
        })
        .await
    }

    async fn snapshot<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (pool, handle) = (self.pool.clone(), Handle::current());
        blocking(move || {
            let begin = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            let transaction = handle.block_on(begin).map_err(|error| failure(&error))?;
            query(&PostgresSession::within(transaction, handle))
        })
        .await
    }

    fn can_look_after_a_lost_commit(&self) -> bool {
        true
    }

    /// The database keeps it small itself.
    async fn empty_write_ahead_log(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_writable(&self) -> bool {
        self.may_write && !self.pool.is_closed()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| StoreError::Unavailable("a statement was cut off".to_owned()))??)
}

/// Runs a change until no other transaction is in its way. Also tells whether there is new work.
fn commit_in_the_end<T>(
    pool: &PgPool,
    handle: &Handle,
    change: &impl Fn(&dyn Session) -> Result<T, SqlError>,
) -> Result<(T, bool), SqlError> {
    for attempt in 1.. {
        match commit(pool, handle, change) {
            Err(SqlError::Conflict) if attempt < TRIES => {
                std::thread::sleep(Duration::from_millis(2 << attempt));
            }
            other => return other,
        }
    }
    unreachable!("the last try returns")
}

fn commit<T>(
    pool: &PgPool,
    handle: &Handle,
    change: &impl Fn(&dyn Session) -> Result<T, SqlError>,
) -> Result<(T, bool), SqlError> {
    let transaction = handle.block_on(pool.begin_with(BEGIN)).map_err(|error| failure(&error))?;
    let session = PostgresSession::within(transaction, handle.clone());
    let answer = change(&session)?;
    let work_added = session.work_was_added();
    session.commit()?;
    Ok((answer, work_added))
}
