//! One thread writes. It takes what is waiting and commits it together: with full durability this is some
//! fifty times as fast as one commit each, and no two writers wait for one another (reference: delivery 0).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::sql::{Session, SqlError};
use super::open::LockedConnection;
use super::session::{SqliteSession, failure};
use crate::model::commits::CommitObserver;
use crate::model::work::StoreError;

const MOST_WAITING: usize = 1024;
const MOST_TOGETHER: usize = 256;

/// Runs one change; what it returns answers the caller once the fate of the commit is known.
type Change = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(super) struct Writer {
    changes: Option<SyncSender<Change>>,
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(locked: LockedConnection, commits: Arc<dyn CommitObserver>) -> Self {
        let (changes, waiting) = sync_channel(MOST_WAITING);
        let running = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&running);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || {
                // Whole, not by its field: a closure takes only what it names, and the lock would be let go.
                write_until_closed(&locked, &waiting, &*commits);
                still.store(false, Ordering::Release);
            })
            .expect("the operating system can start one thread");
        Self { changes: Some(changes), running, thread: Some(thread) }
    }

    /// A writer that refuses everything.
    pub(super) fn closed() -> Self {
        Self { changes: None, running: Arc::new(AtomicBool::new(false)), thread: None }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Change = Box::new(move |connection| {
            let result = in_savepoint(connection, change);
            Box::new(move |committed| {
                // The caller may have gone away; its change stands all the same.
                let _ = tell.send(committed.and(result));
            })
        });
        let stopped = || StoreError::Unavailable("the writer has stopped".to_owned());
        match self.changes.as_ref().ok_or_else(stopped)?.try_send(job) {
            Ok(()) => told.await.map_err(|_| stopped())?,
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }
}

impl Drop for Writer {
    /// Waits until what was handed over is committed and the file is let go.
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to commit.
            let _ = thread.join();
        }
    }
}

/// A change that fails is undone alone; the others of its batch stand.
fn in_savepoint<T>(
    connection: &Connection,
    change: impl FnOnce(&dyn Session) -> Result<T, SqlError>,
) -> Result<T, StoreError> {
    let batch =
        |sql| connection.prepare_cached(sql).and_then(|mut it| it.execute([])).map_err(|it| failure(&it));
    batch("SAVEPOINT change")?;
    let result = change(&SqliteSession(connection));
    if result.is_err() {
        batch("ROLLBACK TO change")?;
    }
    batch("RELEASE change")?;
    Ok(result?)
}

fn write_until_closed(locked: &LockedConnection, waiting: &Receiver<Change>, commits: &dyn CommitObserver) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Change> =
            std::iter::once(first).chain(waiting.try_iter().take(MOST_TOGETHER)).collect();
        if let Err(error) = write_together(&locked.connection, batch, commits) {
            // After a failed commit nobody knows what is on the disk. Stop; a restart reads what is there.
            tracing::error!(%error, "the ledger failed to commit and takes no more changes");
            return;
        }
    }
    // Where a reader is in the way, the next start empties it.
    let _ = locked.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

fn write_together(
    connection: &Connection,
    batch: Vec<Change>,
    commits: &dyn CommitObserver,
) -> Result<(), StoreError> {
    // Where this fails, dropping the changes tells their callers that the writer has stopped.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failure(&error))?;
    let answers: Vec<Answer> = batch.into_iter().map(|change| change(connection)).collect();
    let began = Instant::now();
    let committed: Result<(), StoreError> =
        connection.execute_batch("COMMIT").map_err(|error| failure(&error).into());
    if committed.is_ok() {
        commits.committed(answers.len(), began.elapsed());
    }
    for answer in answers {
        answer(committed.clone());
    }
    committed
}
