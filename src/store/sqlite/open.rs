//! Opening the file: pragmas, lock, migrations, and whether the key fits.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::ledger::UnlockError;
use super::super::migrations::{self, LayoutError};
use super::place;

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
    /// It would stand on a network file system.
    #[error(
        "{0} is on a network file system ({1}), which does not keep what SQLite needs: put the ledger on a disk \
         of this machine, or use PostgreSQL"
    )]
    Remote(String, &'static str),
    /// Its content is damaged.
    #[error(
        "{0} is damaged (SQLite): keep a copy of it and its -wal file, and restore a backup; nothing \
         was changed"
    )]
    Damaged(String),
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
    check_place(file)?;
    let cut_off = was_cut_off(file);
    prepare(file, lock, cut_off).map_err(|error| told_as_damage(error, file))
}

/// A file that is cut short, or none of SQLite's.
pub(super) fn told_as_damage(error: OpenError, file: &Path) -> OpenError {
    match &error {
        OpenError::Database(it)
            if matches!(
                it.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ) =>
        {
            OpenError::Damaged(file.display().to_string())
        }
        _ => error,
    }
}

fn prepare(file: &Path, lock: File, cut_off: bool) -> Result<LockedConnection, OpenError> {
    let connection = Connection::open(file)?;
    // Page size and automatic vacuum count for a new file only; an older one stays as it was made.
    connection.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192;",
    )?;
    keep_statements(&connection)?;
    if cut_off {
        check_content(&connection, file)?;
    }
    migrate(&connection)?;
    sync_folder(file)?;
    Ok(LockedConnection { connection, _lock: lock })
}

/// A connection that moves what another one commits into the file, and flushes it.
pub(super) fn for_checkpoints(file: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

pub(super) fn for_reading(file: &Path) -> Result<Connection, OpenError> {
    let open = || {
        let connection = reader(file)?;
        layout(&connection)?;
        Ok(connection)
    };
    open().map_err(|error| told_as_damage(error, file))
}

pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    keep_statements(&connection)?;
    connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// More than the ledger has; the driver keeps 16.
const STATEMENTS: usize = 256;

/// Statements are compiled once: not again because they fell out of the cache, and not because a parameter has
/// another value, by which SQLite would otherwise look for a better plan each time.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn check_place(file: &Path) -> Result<(), OpenError> {
    let folder = folder_of(file);
    if let Some(kind) = place::remote_file_system(folder) {
        return Err(OpenError::Remote(file.display().to_string(), kind));
    }
    if place::is_container_layer(folder) {
        tracing::warn!(
            "the ledger stands in a container's own layer and is gone with it: mount a volume there"
        );
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A clean end empties the write-ahead log.
fn was_cut_off(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|it| it.len() > 0)
}

/// After a cut-off the whole file is looked through: what a failing disk did is better known before anything
/// is promised.
fn check_content(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    check_by(connection, "PRAGMA quick_check(1)", file)
}

/// Looks through the whole file, and whether its indexes lead to what they should.
pub(super) fn check_whole(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    check_by(connection, "PRAGMA integrity_check(1)", file)
}

fn check_by(connection: &Connection, check: &str, file: &Path) -> Result<(), OpenError> {
    let damaged = || OpenError::Damaged(file.display().to_string());
    let found: String = connection.query_row(check, [], |row| row.get(0)).map_err(|_| damaged())?;
    if found == "ok" { Ok(()) } else { Err(damaged()) }
}

/// A new file's name is as durable as the file only after its folder was flushed.
pub(super) fn sync_folder(file: &Path) -> Result<(), OpenError> {
    let folder = folder_of(file);
    let failed = |source| OpenError::File { file: folder.display().to_string(), source };
    File::open(folder).and_then(|it| it.sync_all()).map_err(failed)
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
