//! One thread writes. It takes what is waiting and commits it together: with full durability this is some
//! fifty times as fast as one commit each, and no two writers wait for one another (reference: delivery 0).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::sql::{Session, SqlError};
use super::checkpoints::Checkpoints;
use super::open::LockedConnection;
use super::session::{SqliteSession, failure};
use crate::model::commits::CommitObserver;
use crate::model::work::StoreError;

const MOST_WAITING: usize = 1024;
const MOST_TOGETHER: usize = 256;

/// A change that somebody waits for.
trait Change: Send {
    /// Runs it. It may be run again, after what it did was undone.
    fn run(&mut self, connection: &Connection) -> Result<(), SqlError>;

    /// Answers the caller, once the fate of the commit is known.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Awaited<T, F> {
    change: F,
    result: Result<T, SqlError>,
    tell: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Change for Awaited<T, F>
where
    T: Send,
    F: Fn(&dyn Session) -> Result<T, SqlError> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), SqlError> {
        self.result = (self.change)(&SqliteSession(connection));
        self.result.as_ref().map(drop).map_err(Clone::clone)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        // The caller may have gone away; its change stands all the same.
        let _ = self.tell.send(committed.and(self.result.map_err(StoreError::from)));
    }
}

type Changes = Vec<Box<dyn Change>>;

/// What the writer is asked to do.
enum Order {
    Change(Box<dyn Change>),
    /// Empty the write-ahead log, and tell when that was tried.
    EmptyLog(oneshot::Sender<()>),
}

/// How long a reader may keep the log from being emptied, before it is left as it is: everybody who writes
/// waits meanwhile.
const READERS_MAY_TAKE: Duration = Duration::from_millis(50);

/// How long other connections may keep the writer waiting; none of ours does.
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    orders: Option<SyncSender<Order>>,
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        locked: LockedConnection,
        checkpoints: Checkpoints,
        commits: Arc<dyn CommitObserver>,
    ) -> Self {
        let (orders, waiting) = sync_channel(MOST_WAITING);
        let running = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&running);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || {
                // Whole, not by its field: a closure takes only what it names, and the lock would be let go.
                write_until_closed(&locked, checkpoints, &waiting, &*commits);
                still.store(false, Ordering::Release);
            })
            .expect("the operating system can start one thread");
        Self { orders: Some(orders), running, thread: Some(thread) }
    }

    /// A writer that refuses everything.
    pub(super) fn closed() -> Self {
        Self { orders: None, running: Arc::default(), thread: None }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        change: impl Fn(&dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        self.order(Order::Change(Box::new(Awaited { change, result: Err(SqlError::Unexpected), tell })))?;
        told.await.map_err(|_| stopped())?
    }

    /// Carries the write-ahead log over into the ledger and cuts its file to nothing, unless a reader is in the
    /// way.
    pub(super) async fn empty_log(&self) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.order(Order::EmptyLog(tell))?;
        told.await.map_err(|_| stopped())
    }

    fn order(&self, order: Order) -> Result<(), StoreError> {
        self.orders.as_ref().ok_or_else(stopped)?.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped".to_owned())
}

impl Drop for Writer {
    /// Waits until what was handed over is committed and the file is let go.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to commit.
            let _ = thread.join();
        }
    }
}

fn write_until_closed(
    locked: &LockedConnection,
    mut checkpoints: Checkpoints,
    waiting: &Receiver<Order>,
    commits: &dyn CommitObserver,
) {
    while let Ok(first) = waiting.recv() {
        let (mut batch, mut to_empty) = (Changes::new(), Vec::new());
        for order in std::iter::once(first).chain(waiting.try_iter().take(MOST_TOGETHER)) {
            match order {
                Order::Change(change) => batch.push(change),
                Order::EmptyLog(tell) => to_empty.push(tell),
            }
        }
        if let Err(error) = write_together(&locked.connection, batch, commits) {
            // After a failed commit nobody knows what is on the disk. Stop; a restart reads what is there.
            tracing::error!(%error, "the ledger failed to commit and takes no more changes");
            return;
        }
        checkpoints.committed(&locked.connection);
        if !to_empty.is_empty() {
            checkpoints.alone(|| empty_log(&locked.connection));
            // Whoever asked may have gone away.
            for tell in to_empty {
                let _ = tell.send(());
            }
        }
    }
    drop(checkpoints);
    // Where a reader is in the way, the next start empties it.
    let _ = locked.connection.execute_batch(EMPTY_LOG);
}

const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// A failure leaves the log as it was, and whoever looks at its size sees that.
fn empty_log(connection: &Connection) {
    let _ = connection.busy_timeout(READERS_MAY_TAKE).and_then(|()| connection.execute_batch(EMPTY_LOG));
    // Fails only where the connection is of no use any more, which the next change finds.
    let _ = connection.busy_timeout(BUSY);
}

fn write_together(
    connection: &Connection,
    mut batch: Changes,
    commits: &dyn CommitObserver,
) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    // Where this fails, dropping the changes tells their callers that the writer has stopped.
    run(connection, "BEGIN IMMEDIATE")?;
    // Savepoints for all would take a fifth of the processor's time, and hardly any change fails.
    if batch.iter_mut().any(|change| change.run(connection).is_err()) {
        start_over(connection)?;
        batch.iter_mut().try_for_each(|change| run_alone(connection, &mut **change))?;
    }
    let began = Instant::now();
    let committed: Result<(), StoreError> = run(connection, "COMMIT").map_err(StoreError::from);
    if committed.is_ok() {
        commits.committed(batch.len(), began.elapsed());
    }
    for change in batch {
        change.answer(committed.clone());
    }
    committed
}

/// Undoes what the transaction did and begins it again. SQLite may have ended it by itself, as where the disk
/// is full.
fn start_over(connection: &Connection) -> Result<(), SqlError> {
    if !connection.is_autocommit() {
        run(connection, "ROLLBACK")?;
    }
    run(connection, "BEGIN IMMEDIATE")
}

/// A change that fails is undone alone; the others of its batch stand.
fn run_alone(connection: &Connection, change: &mut dyn Change) -> Result<(), SqlError> {
    run(connection, "SAVEPOINT change")?;
    if change.run(connection).is_err() {
        run(connection, "ROLLBACK TO change")?;
    }
    run(connection, "RELEASE change")
}

fn run(connection: &Connection, sql: &str) -> Result<(), SqlError> {
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(drop).map_err(|error| failure(&error))
}

#[cfg(test)]
mod tests {
    use super::super::super::sql::bind;
    use super::*;

    type Told = oneshot::Receiver<Result<u64, StoreError>>;

    /// Writes a row of this number, and then fails where the number is odd.
    fn a_row(number: i64) -> (Box<dyn Change>, Told) {
        let (tell, told) = oneshot::channel();
        let change = move |session: &dyn Session| {
            session.change("INSERT INTO row VALUES (?1)", bind![number])?;
            if number % 2 == 1 { Err(SqlError::Unexpected) } else { Ok(1) }
        };
        (Box::new(Awaited { change, result: Err(SqlError::Unexpected), tell }), told)
    }

    #[test]
    fn a_change_that_fails_is_undone_alone_and_the_others_stand_once() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE row (number INTEGER NOT NULL)").unwrap();
        let (batch, told): (Changes, Vec<Told>) = (1..=4).map(a_row).unzip();

        write_together(&connection, batch, &()).unwrap();

        let mut statement = connection.prepare("SELECT number FROM row ORDER BY number").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        assert_eq!(rows.map(Result::unwrap).collect::<Vec<i64>>(), [2, 4]);
        let told: Vec<bool> = told.into_iter().map(|mut it| it.try_recv().unwrap().is_ok()).collect();
        assert_eq!(told, [false, true, false, true]);
    }
}
