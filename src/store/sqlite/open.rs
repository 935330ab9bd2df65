//! Opening the file: pragmas, lock, migrations, and whether the key fits.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::ledger::UnlockError;
use super::super::migrations::{self, LayoutError};

/// Why the ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder cannot be made, or the lock file not.
    #[error("{file} cannot be made: {source}")]
    File {
        /// What was to be made.
        file: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("{0} is in use by another gateway: one gateway per ledger")]
    InUse(String),
    /// Another version of the gateway made it.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The key does not fit, or what is in the file cannot be used.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// SQLite refused.
    #[error("SQLite cannot open the ledger: {0}")]
    Database(#[from] rusqlite::Error),
}

pub(super) fn for_writing(file: &Path) -> Result<LockedConnection, OpenError> {
    let lock = lock(file)?;
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate(&connection)?;
    Ok(LockedConnection { connection, _lock: lock })
}

pub(super) fn for_reading(file: &Path) -> Result<Connection, OpenError> {
    let connection = reader(file)?;
    layout(&connection)?;
    Ok(connection)
}

pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// The writing connection, and the lock that makes it the only one.
pub(super) struct LockedConnection {
    pub(super) connection: Connection,
    _lock: File,
}

fn lock(file: &Path) -> Result<File, OpenError> {
    let name = file.with_extension("lock");
    let failed = |source| OpenError::File { file: name.display().to_string(), source };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let handle = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    for patience in [Some(LOCK_WAIT); 10].into_iter().chain([None]) {
        match (handle.try_lock(), patience) {
            (Ok(()), _) => return Ok(handle),
            (Err(TryLockError::Error(source)), _) => return Err(failed(source)),
            (Err(TryLockError::WouldBlock), Some(wait)) => thread::sleep(wait),
            (Err(TryLockError::WouldBlock), None) => {}
        }
    }
    Err(OpenError::InUse(file.display().to_string()))
}

/// A predecessor that is just ending, or a child that it was just starting, may hold the lock for a moment.
const LOCK_WAIT: Duration = Duration::from_millis(20);

fn layout(connection: &Connection) -> Result<usize, OpenError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(migrations::done(found)?)
}

/// The number of the layout is kept in `PRAGMA user_version`.
fn migrate(connection: &Connection) -> Result<(), OpenError> {
    let done = layout(connection)?;
    for (number, migration) in migrations::after(done) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {migration} PRAGMA user_version = {number}; COMMIT;"
        ))?;
    }
    Ok(())
}
