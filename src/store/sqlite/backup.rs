//! A copy of a ledger that a gateway may be writing meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::open::{self, OpenError};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something of that name is there already; nothing was changed.
    #[error("{0} is there already: name another file")]
    Exists(String),
    /// Another copy of that name is being made, or was cut off.
    #[error("{0} is there already: another backup is writing it, or one was cut off; then remove it")]
    Unfinished(String),
    /// The copy cannot be written.
    #[error("{0} cannot be written: {1}")]
    File(String, io::Error),
    /// SQLite could not copy it, such as for want of room.
    #[error("SQLite cannot copy the ledger: {0}")]
    Database(rusqlite::Error),
    /// The ledger or its copy cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A copy that has not its name yet. Dropping it removes it.
pub struct UnfinishedCopy {
    /// Where it stands until it is finished.
    pub file: PathBuf,
    name: PathBuf,
}

impl UnfinishedCopy {
    /// Copies the ledger as it is at one instant, into one file of mode 0600 that needs no other beside it. Who
    /// writes to the ledger is not held up; the write-ahead log cannot be carried over meanwhile and grows.
    pub fn of(ledger: &Path, name: &Path) -> Result<Self, BackupError> {
        if name.exists() {
            return Err(BackupError::Exists(name.display().to_string()));
        }
        let connection = open::for_reading(ledger)?;
        let mut file = name.as_os_str().to_owned();
        file.push(".partial");
        let file = PathBuf::from(file);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Unfinished(file.display().to_string()),
            _ => unwritable(&file, error),
        })?;
        let copy = Self { file, name: name.to_owned() };
        copy.fill(&connection, ledger)?;
        Ok(copy)
    }

    /// SQLite writes into an empty file, and reads all of it at one instant.
    fn fill(&self, ledger: &Connection, from: &Path) -> Result<(), BackupError> {
        let path = self
            .file
            .to_str()
            .ok_or_else(|| unwritable(&self.file, io::ErrorKind::InvalidFilename.into()))?;
        let copied = ledger.execute("VACUUM INTO ?1", [path]);
        copied.map_err(|error| match open::told_as_damage(error.into(), from) {
            OpenError::Database(error) => BackupError::Database(error),
            damage => damage.into(),
        })?;
        open::check_whole(&open::for_reading(&self.file)?, &self.file)?;
        Ok(())
    }

    /// Flushes it and gives it its name.
    pub fn finish(self) -> Result<(), BackupError> {
        let flushed = File::open(&self.file).and_then(|it| it.sync_all());
        flushed.map_err(|error| unwritable(&self.file, error))?;
        // Between this look and the new name only a stranger could come: our own backups keep off each other.
        if self.name.exists() {
            return Err(BackupError::Exists(self.name.display().to_string()));
        }
        fs::rename(&self.file, &self.name).map_err(|error| unwritable(&self.name, error))?;
        open::sync_folder(&self.name)?;
        Ok(())
    }
}

impl Drop for UnfinishedCopy {
    fn drop(&mut self) {
        // A finished one has another name by now.
        let _ = fs::remove_file(&self.file);
    }
}

/// Looks at every page of a ledger's file.
pub fn check_whole(file: &Path) -> Result<(), OpenError> {
    open::check_whole(&open::for_reading(file)?, file)
}

fn unwritable(file: &Path, error: io::Error) -> BackupError {
    BackupError::File(file.display().to_string(), error)
}
