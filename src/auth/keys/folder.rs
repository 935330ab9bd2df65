//! A folder of our own keys: `keys.json` says when each is published and signs, `<kid>.pem` is its private half. `keys rotate`
//! writes it, beside a gateway that reads it every few seconds. No private half is ever printed, and none is readable by
//! others.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use jiff::Timestamp;
use serde_json::Value;

use super::make::new_private_key;
use super::ring::{Change, Entry, Ring, Waiting};
use super::{AssertionKey, KeyProblem};
use crate::fhir::json;
use crate::model::clock::Clock;
use crate::model::partner::SigningAlgorithm;

/// How old what was read may be.
const READ_ANEW: Duration = Duration::from_secs(5);

/// Why the folder cannot be used. Never holds any of a key.
#[derive(Debug, thiserror::Error)]
pub enum FolderProblem {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The list is not ours.
    #[error("{0} is no list of keys as `keys rotate` writes it")]
    NotAList(PathBuf),
    /// A private half that others can read has to be replaced.
    #[error("{0} can be read by others: mode 0600, and then `keys rotate --at-once`")]
    Open(PathBuf),
    /// A private half cannot be used.
    #[error("{0} {1}")]
    Key(PathBuf, KeyProblem),
    /// There is no key that signs.
    #[error("{0} has no key that signs {1} now: make one by `keys rotate --algorithm {1}`")]
    NoKey(PathBuf, &'static str),
    /// A change is under way.
    #[error(transparent)]
    Waiting(#[from] Waiting),
    /// The system has no random bytes.
    #[error("no new key could be made")]
    NotMade,
}

/// The keys of a folder, read anew when they are needed.
pub struct KeyFolder {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    seen: Mutex<Option<Seen>>,
}

struct Seen {
    at: Timestamp,
    keys: Arc<Vec<(Entry, AssertionKey)>>,
}

impl KeyFolder {
    /// Nothing is read yet.
    pub fn new(directory: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { directory, clock, seen: Mutex::default() }
    }

    /// The key that signs now.
    pub fn signing(&self, algorithm: SigningAlgorithm) -> Result<AssertionKey, FolderProblem> {
        let (keys, now) = (self.keys()?, self.clock.now());
        let ring = Ring { keys: keys.iter().map(|(entry, _)| entry.clone()).collect() };
        let key_id = ring.signing(algorithm, now).map(|it| &it.key_id);
        let found = keys.iter().find(|(entry, _)| Some(&entry.key_id) == key_id);
        let none = || FolderProblem::NoKey(self.directory.clone(), algorithm.name());
        found.map(|(_, key)| key.clone()).ok_or_else(none)
    }

    /// The public halves that others may find now, as entries of a JWKS.
    pub fn published(&self) -> Result<Vec<Value>, FolderProblem> {
        let (keys, now) = (self.keys()?, self.clock.now());
        Ok(keys
            .iter()
            .filter(|(entry, _)| entry.is_published(now))
            .map(|(_, key)| key.public_jwk())
            .collect())
    }

    /// What was read, or what was read before where it cannot be read now: a change that went wrong takes no key away.
    fn keys(&self) -> Result<Arc<Vec<(Entry, AssertionKey)>>, FolderProblem> {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |it: &&mut Seen| it.at <= now && it.at.checked_add(READ_ANEW).is_ok_and(|end| now < end);
        if let Some(seen) = seen.as_mut().filter(fresh) {
            return Ok(Arc::clone(&seen.keys));
        }
        match (read_all(&self.directory, now), seen.as_mut()) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *seen = Some(Seen { at: now, keys: Arc::clone(&keys) });
                Ok(keys)
            }
            (Err(error), Some(seen)) => {
                tracing::error!(%error, "our own keys cannot be read; those that were read before are used");
                seen.at = now;
                Ok(Arc::clone(&seen.keys))
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// The list of a folder; empty where there is none yet.
pub fn list(directory: &Path) -> Result<Ring, FolderProblem> {
    let file = directory.join("keys.json");
    match fs::read(&file) {
        Ok(bytes) => {
            let ring = json::parse(&bytes).ok().and_then(|it| serde_json::from_value(it).ok());
            ring.ok_or(FolderProblem::NotAList(file))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ring::default()),
        Err(error) => Err(FolderProblem::File(file, error)),
    }
}

/// Makes a key and takes it in; destroys those that are no longer published. Gives the new one.
pub fn rotate(
    directory: &Path,
    algorithm: SigningAlgorithm,
    change: Change,
    now: Timestamp,
) -> Result<Entry, FolderProblem> {
    let at = |file: &Path| {
        let file = file.to_owned();
        move |error| FolderProblem::File(file, error)
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(at(directory))?;
    // One change at a time; the system takes the lock back when this ends.
    let lock = File::create(directory.join("lock")).map_err(at(directory))?;
    lock.lock().map_err(at(directory))?;
    let mut ring = list(directory)?;
    let added = ring.rotate(new_key_id(algorithm, now)?, algorithm, change, now)?.clone();
    let pem = new_private_key(algorithm).ok_or(FolderProblem::NotMade)?;
    let file = key_file(directory, &added.key_id);
    write_new(&file, pem.reveal().as_bytes()).map_err(at(&file))?;
    let ended = ring.take_ended(now);
    let (index, draft) = (directory.join("keys.json"), directory.join("keys.json.draft"));
    let text = serde_json::to_string_pretty(&ring).map_err(|_| FolderProblem::NotMade)?;
    let _ = fs::remove_file(&draft); // of a change that was cut off
    write_new(&draft, text.as_bytes()).map_err(at(&draft))?;
    fs::rename(&draft, &index).map_err(at(&index))?;
    for old in ended {
        let file = key_file(directory, &old.key_id);
        fs::remove_file(&file).map_err(at(&file))?;
    }
    Ok(added)
}

fn read_all(directory: &Path, now: Timestamp) -> Result<Vec<(Entry, AssertionKey)>, FolderProblem> {
    let ring = list(directory)?;
    let published = ring.keys.into_iter().filter(|it| it.is_published(now));
    published
        .map(|entry| {
            let file = key_file(directory, &entry.key_id);
            let at = |error| FolderProblem::File(file.clone(), error);
            if fs::metadata(&file).map_err(at)?.permissions().mode() & 0o077 != 0 {
                return Err(FolderProblem::Open(file));
            }
            let pem = fs::read(&file).map_err(at)?;
            let key = AssertionKey::read(&pem, &entry.key_id, entry.algorithm);
            Ok((entry, key.map_err(|problem| FolderProblem::Key(file, problem))?))
        })
        .collect()
}

fn key_file(directory: &Path, key_id: &str) -> PathBuf {
    directory.join(format!("{key_id}.pem"))
}

fn write_new(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut handle = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    handle.write_all(content)?;
    handle.sync_all()
}

/// Such as `2026-11-24-rs384-5f3a9c`.
fn new_key_id(algorithm: SigningAlgorithm, now: Timestamp) -> Result<String, FolderProblem> {
    let mut random = [0; 3];
    rand::fill(&mut random).map_err(|_| FolderProblem::NotMade)?;
    let [a, b, c] = random;
    let (day, name) = (now.strftime("%Y-%m-%d"), algorithm.name().to_ascii_lowercase());
    Ok(format!("{day}-{name}-{a:02x}{b:02x}{c:02x}"))
}
