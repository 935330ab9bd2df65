//! Backups of an embedded ledger, and whether they could take its place.

use std::path::Path;

use super::StartError;
use super::ledger;
use crate::config::settings::{Database, Store as Settings};
use crate::model::audit::TrailReport;
use crate::model::work::StoreError;
use crate::store::AuditTrail as _;
use crate::store::sqlite::{BackupError, OpenError, SqliteStore, UnfinishedCopy, check_whole};

/// Why there is no backup, or none that could take the ledger's place.
#[derive(Debug, thiserror::Error)]
pub enum NoBackup {
    /// PostgreSQL has means of its own.
    #[error(
        "the ledger is in PostgreSQL: use pg_dump, or base backups with archived write-ahead logs (point-in-time \
         recovery)"
    )]
    Elsewhere,
    /// There is no ledger, or its key is not there.
    #[error(transparent)]
    Ledger(#[from] StartError),
    /// It could not be copied.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// The file is no ledger of this key.
    #[error(transparent)]
    File(#[from] OpenError),
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the ledger of a gateway that may be running into a file that must not be there yet. The file gets its
/// name only after it was proved that it is whole, that the key fits and that it is on the disk. A trail that was
/// tampered with is in the report: the copy is then as its ledger is.
pub async fn back_up(settings: &Settings, to: &Path) -> Result<TrailReport, NoBackup> {
    let from = embedded(settings)?;
    if !SqliteStore::exists(from) {
        return Err(StartError::NoLedger(from.display().to_string()).into());
    }
    let copy = UnfinishedCopy::of(from, to)?;
    let report = inspect(settings, &copy.file).await?;
    copy.finish()?;
    Ok(report)
}

/// Whether this file could take the ledger's place: it is whole, and the key of these settings fits.
pub async fn verify(settings: &Settings, file: &Path) -> Result<TrailReport, NoBackup> {
    embedded(settings)?;
    if !SqliteStore::exists(file) {
        return Err(StartError::NoLedger(file.display().to_string()).into());
    }
    check_whole(file)?;
    inspect(settings, file).await
}

async fn inspect(settings: &Settings, file: &Path) -> Result<TrailReport, NoBackup> {
    let keys = ledger::keys(settings, false).map_err(StartError::from)?;
    let store = SqliteStore::open_read_only(file, &keys).await?;
    Ok(store.inspect_trail(None).await?)
}

fn embedded(settings: &Settings) -> Result<&Path, NoBackup> {
    match &settings.database {
        Database::Sqlite(file) => Ok(file),
        Database::Postgres(_) => Err(NoBackup::Elsewhere),
    }
}
