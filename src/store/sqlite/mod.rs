//! The embedded ledger: one SQLite file, one writer.

mod assertions;
mod audit;
mod claim;
mod deliveries;
mod figures;
mod open;
mod referrals;
mod rows;
mod settle;
mod updates;
mod work_queue;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::seal::{GatewayKey, Sealer};
use super::trail::Links;
use crate::model::work::StoreError;

pub use open::OpenError;

/// A ledger in one SQLite file.
pub struct SqliteStore {
    writer: writer::Writer,
    readers: Arc<Readers>,
    sealer: Arc<Sealer>,
    links: Links,
}

impl SqliteStore {
    /// Opens or makes the ledger. One process may have it open for writing.
    pub fn open(file: &Path, key: &GatewayKey) -> Result<Self, OpenError> {
        let connection = open::for_writing(file, key)?;
        Ok(Self {
            writer: writer::Writer::start(connection),
            readers: Arc::new(Readers { file: file.to_owned(), idle: Mutex::new(Vec::new()) }),
            sealer: Arc::new(Sealer::new(key)),
            links: Links::under(key),
        })
    }

    /// Whether a ledger is there already.
    pub fn exists(file: &Path) -> bool {
        file.exists()
    }

    /// Opens the ledger of a gateway that may be running, for reading only.
    pub fn open_read_only(file: &Path, key: &GatewayKey) -> Result<Self, OpenError> {
        let connection = open::for_reading(file, key)?;
        Ok(Self {
            writer: writer::Writer::closed(),
            readers: Arc::new(Readers { file: file.to_owned(), idle: Mutex::new(vec![connection]) }),
            sealer: Arc::new(Sealer::new(key)),
            links: Links::under(key),
        })
    }

    /// Whether the writer still works. After a failed commit it does not, and the process should end.
    pub fn is_writable(&self) -> bool {
        self.writer.is_running()
    }

    /// Runs a change in the writer's next transaction and answers after its commit.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(change).await
    }

    /// Runs a query on a connection of its own.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let work = tokio::task::spawn_blocking(move || readers.run(query));
        work.await.map_err(|_| StoreError::Unavailable("a query was cut off".to_owned()))?
    }
}

/// Connections that only read; WAL lets them read beside the writer.
struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn run<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = match self.take() {
            Some(connection) => connection,
            None => open::reader(&self.file).map_err(|error| unavailable(&error))?,
        };
        let answer = query(&connection).map_err(|error| unavailable(&error));
        self.idle.lock().expect("no holder of this lock panics").push(connection);
        answer
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().expect("no holder of this lock panics").pop()
    }
}

/// SQLite's error code only: its message can quote a value.
fn unavailable(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(code) => StoreError::Unavailable(format!("{code:?}")),
        None => StoreError::Unavailable("a row has an unexpected shape".to_owned()),
    }
}
