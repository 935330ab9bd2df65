//! Opening the file: pragmas, lock, migrations, and whether the key fits.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::super::seal::{GatewayKey, KeyError, Sealed, Sealer};

/// The migrations, in order. The number of those that ran is kept in `PRAGMA user_version`.
const MIGRATIONS: [&str; 2] =
    [include_str!("migrations/0001_ledger.sql"), include_str!("migrations/0002_audit.sql")];

const KEY_CHECK: &[u8] = b"this key fits";

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
    /// A newer gateway made it.
    #[error("the ledger was made by a newer gateway (its layout is {found}, this one knows {known})")]
    Newer {
        /// The layout of the file.
        found: i64,
        /// The newest layout that we know.
        known: i64,
    },
    /// The key does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// SQLite refused.
    #[error("SQLite cannot open the ledger: {0}")]
    Database(#[from] rusqlite::Error),
}

pub(super) fn for_writing(file: &Path, key: &GatewayKey) -> Result<LockedConnection, OpenError> {
    let lock = lock(file)?;
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate(&connection)?;
    check_key(&connection, key)?;
    Ok(LockedConnection { connection, _lock: lock })
}

pub(super) fn for_reading(file: &Path, key: &GatewayKey) -> Result<Connection, OpenError> {
    let connection = reader(file)?;
    layout(&connection)?;
    check_key(&connection, key)?;
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
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    usize::try_from(found).ok().filter(|_| found <= known).ok_or(OpenError::Newer { found, known })
}

fn migrate(connection: &Connection) -> Result<(), OpenError> {
    let done = layout(connection)?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let number = index + 1;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {migration} PRAGMA user_version = {number}; COMMIT;"
        ))?;
    }
    Ok(())
}

/// A known text sealed under the key that the store was made with. It opens under no other.
fn check_key(connection: &Connection, key: &GatewayKey) -> Result<(), OpenError> {
    let keyed = Sealer::new(key);
    let stored: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE name = 'key_check'", [], |row| row.get(0))
        .optional()?;
    if let Some(stored) = stored {
        let (wrapped_key, ciphertext) = stored.split_at_checked(60).ok_or(KeyError::DoesNotFit)?;
        let sealed = Sealed { wrapped_key: wrapped_key.to_vec(), ciphertext: ciphertext.to_vec() };
        return match keyed.open(&sealed, "key_check") {
            Ok(plain) if plain == KEY_CHECK => Ok(()),
            _ => Err(KeyError::DoesNotFit.into()),
        };
    }
    let sealed = keyed.seal(KEY_CHECK, "key_check");
    let value = [sealed.wrapped_key, sealed.ciphertext].concat();
    connection.execute("INSERT INTO meta (name, value) VALUES ('key_check', ?1)", params![value])?;
    Ok(())
}
