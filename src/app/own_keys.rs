//! Our own keys that take turns, for people who change them.

use jiff::Timestamp;

use crate::auth::keys::folder::{self, FolderProblem};
use crate::auth::keys::ring::{Change, Entry};
use crate::config::settings::Config;
use crate::model::partner::SigningAlgorithm;

/// Why the keys cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There is no folder of keys.
    #[error("the settings name no `keys.directory`")]
    NoFolder,
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderProblem),
}

/// One of our keys, for people. Nothing of it is secret.
pub struct OwnKey {
    /// Its `kid`.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: &'static str,
    /// Since when it is published.
    pub published: Timestamp,
    /// From when on it signs.
    pub signs: Timestamp,
    /// From when on it is no longer published; none: until another takes its place.
    pub ends: Option<Timestamp>,
    /// True: it signs now.
    pub is_signing: bool,
    /// True: others may find it now.
    pub is_published: bool,
}

/// Every key of the folder.
pub fn list(config: &Config, now: Timestamp) -> Result<Vec<OwnKey>, KeysError> {
    let directory = config.keys.directory.as_deref().ok_or(KeysError::NoFolder)?;
    let ring = folder::list(directory)?;
    let is_signing = |it: &Entry| ring.signing(it.algorithm, now) == Some(it);
    Ok(ring.keys.iter().map(|it| own_key(it, is_signing(it), now)).collect())
}

/// Makes the next key. With `at_once` it signs now, and the others of its algorithm are no longer published.
pub fn rotate(
    config: &Config,
    algorithm: SigningAlgorithm,
    at_once: bool,
    now: Timestamp,
) -> Result<OwnKey, KeysError> {
    let directory = config.keys.directory.as_deref().ok_or(KeysError::NoFolder)?;
    let change = if at_once { Change::AtOnce } else { Change::After(config.keys.overlap) };
    let added = folder::rotate(directory, algorithm, change, now)?;
    Ok(own_key(&added, added.signs <= now, now))
}

fn own_key(entry: &Entry, is_signing: bool, now: Timestamp) -> OwnKey {
    OwnKey {
        key_id: entry.key_id.clone(),
        algorithm: entry.algorithm.name(),
        published: entry.published,
        signs: entry.signs,
        ends: entry.ends,
        is_signing,
        is_published: entry.is_published(now),
    }
}
