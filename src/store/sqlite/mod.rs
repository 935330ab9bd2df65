//! The embedded ledger: one SQLite file, one writer.

mod backup;
mod checkpoints;
mod open;
mod place;
mod session;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use self::checkpoints::Checkpoints;
use self::session::{SqliteSession, failure};
use super::engine::Engine;
use super::ledger::Ledger;
use super::seal::KeyRing;
use super::sql::{Session, SqlError};
use crate::model::commits::CommitObserver;
use crate::model::work::StoreError;

pub use backup::{BackupError, UnfinishedCopy, check_whole};
pub use open::OpenError;

/// A ledger in one SQLite file.
pub type SqliteStore = Ledger<Sqlite>;

/// One SQLite file: a thread that writes, one that tidies up behind it, and connections that read.
pub struct Sqlite {
    writer: writer::Writer,
    readers: Arc<Readers>,
}

/// Names this gateway among those that share a ledger; here there is one.
const ONLY: &str = "only";

impl Ledger<Sqlite> {
    /// Opens or makes the ledger. One process may have it open for writing.
    pub async fn open(file: &Path, keys: &KeyRing) -> Result<Self, OpenError> {
        Self::open_observed(file, keys, Arc::new(())).await
    }

    /// The same, and tells of its commits.
    pub async fn open_observed(
        file: &Path,
        keys: &KeyRing,
        commits: Arc<dyn CommitObserver>,
    ) -> Result<Self, OpenError> {
        let mut locked = open::for_writing(file)?;
        let checkpoints = Checkpoints::beside(&mut locked.connection, open::for_checkpoints(file)?)?;
        let engine = Sqlite {
            writer: writer::Writer::start(locked, checkpoints, commits),
            readers: Arc::new(Readers { file: file.to_owned(), idle: Mutex::new(Vec::new()) }),
        };
        Ok(Self::unlock(engine, keys, ONLY.to_owned()).await?)
    }

    /// Whether a ledger is there already.
    pub fn exists(file: &Path) -> bool {
        file.exists()
    }

    /// Opens the ledger of a gateway that may be running, for reading only.
    pub async fn open_read_only(file: &Path, keys: &KeyRing) -> Result<Self, OpenError> {
        let connection = open::for_reading(file)?;
        let engine = Sqlite {
            writer: writer::Writer::closed(),
            readers: Arc::new(Readers { file: file.to_owned(), idle: Mutex::new(vec![connection]) }),
        };
        Ok(Self::unlock(engine, keys, ONLY.to_owned()).await?)
    }
}

impl Engine for Sqlite {
    async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(change).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let work =
            tokio::task::spawn_blocking(move || readers.run(|connection| query(&SqliteSession(connection))));
        Ok(work.await.map_err(|_| StoreError::Unavailable("a query was cut off".to_owned()))??)
    }

    async fn snapshot<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let work = tokio::task::spawn_blocking(move || {
            readers.run(|connection| {
                let _snapshot = connection.unchecked_transaction().map_err(|error| failure(&error))?;
                query(&SqliteSession(connection))
            })
        });
        Ok(work.await.map_err(|_| StoreError::Unavailable("a query was cut off".to_owned()))??)
    }

    /// After a failed commit the writer is gone, and nobody knows what is on the disk.
    fn can_look_after_a_lost_commit(&self) -> bool {
        false
    }

    async fn empty_write_ahead_log(&self) -> Result<(), StoreError> {
        self.writer.empty_log().await
    }

    fn is_writable(&self) -> bool {
        self.writer.is_running()
    }
}

/// Connections that only read; WAL lets them read beside the writer.
struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn run<T>(&self, query: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T, SqlError> {
        let connection = match self.take() {
            Some(connection) => connection,
            None => open::reader(&self.file).map_err(|error| failure(&error))?,
        };
        let answer = query(&connection);
        self.idle.lock().expect("no holder of this lock panics").push(connection);
        answer
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().expect("no holder of this lock panics").pop()
    }
}
