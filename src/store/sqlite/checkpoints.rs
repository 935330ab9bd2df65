//! Moving what was committed from the write-ahead log into the file. A thread of its own does it beside the writer,
//! for whom nobody then waits; SQLite by itself would do it within a commit, which takes ten times as long then
//! (reference: performance, B3).

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// So many more pages in the log are moved at a time, as SQLite itself does.
const AT_A_TIME: u32 = 1000;

/// While the writer goes on, the log is never empty and grows. From here on the writer itself moves the rest, after
/// which the log begins anew: 32 MiB of pages of 8 KiB.
const MOST: u32 = 4 * AT_A_TIME;

/// Tells a thread when the log has grown.
pub(super) struct Checkpoints {
    in_log: Arc<AtomicU32>,
    next: u32,
    turn: Arc<Mutex<()>>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Begins to watch what `writing` commits. `own` is another connection to the same file.
    pub(super) fn beside(writing: &mut Connection, own: Connection) -> rusqlite::Result<Self> {
        let in_log = Arc::new(AtomicU32::new(0));
        let pages = Arc::clone(&in_log);
        // This takes the place of SQLite's own checkpoints.
        writing.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, so_many| {
            pages.store(u32::try_from(so_many).unwrap_or_default(), Ordering::Relaxed);
            Ok(())
        }))?;
        let (wake, woken) = sync_channel(1);
        let turn = Arc::new(Mutex::new(()));
        let own_turn = Arc::clone(&turn);
        let thread = std::thread::Builder::new()
            .name("ledger-checkpoints".to_owned())
            .spawn(move || move_until_closed(&own, &own_turn, &woken))
            .expect("the operating system can start one thread");
        Ok(Self { in_log, next: AT_A_TIME, turn, wake: Some(wake), thread: Some(thread) })
    }

    /// To be called after each commit, when everybody has been answered.
    pub(super) fn committed(&mut self, writing: &Connection) {
        let in_log = self.in_log.load(Ordering::Relaxed);
        if in_log >= MOST {
            checkpoint(writing);
        }
        if in_log + AT_A_TIME < self.next {
            // The log began anew.
            self.next = AT_A_TIME;
        }
        if in_log >= self.next {
            self.next = in_log + AT_A_TIME;
            // Where it is full the thread is about to look.
            let _ = self.wake.as_ref().map(|it| it.try_send(()));
        }
    }
}

impl Checkpoints {
    /// Does something while the thread moves nothing: SQLite lets only one at a time, and waits for none.
    pub(super) fn alone(&self, work: impl FnOnce()) {
        let _turn = self.turn.lock().expect("no holder of this lock panics");
        work();
    }
}

impl Drop for Checkpoints {
    /// Waits until the thread is done, so that it is in nobody's way.
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn move_until_closed(own: &Connection, turn: &Mutex<()>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let _turn = turn.lock().expect("no holder of this lock panics");
        checkpoint(own);
    }
}

/// What cannot be moved, because the disk is full or somebody is in the way, stays in the log and is moved later: the
/// log is begun anew only after the file was flushed. Its size is watched (`app/pressure.rs`).
fn checkpoint(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(folder: &std::path::Path) -> Connection {
        let connection = Connection::open(folder.join("a.db")).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;").unwrap();
        connection
    }

    #[test]
    fn the_log_of_a_writer_that_never_rests_does_not_grow_without_end_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut writing = open(folder.path());
        writing.execute_batch("CREATE TABLE row (bytes BLOB NOT NULL)").unwrap();
        let mut checkpoints = Checkpoints::beside(&mut writing, open(folder.path())).unwrap();

        for _ in 0..MOST {
            // Three pages of 4 KiB and one that leads to them.
            writing.execute("INSERT INTO row VALUES (zeroblob(12000))", []).unwrap();
            checkpoints.committed(&writing);
        }
        let log = fs::metadata(folder.path().join("a.db-wal")).unwrap().len();
        drop(checkpoints);
        writing.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

        assert!(log < u64::from(2 * MOST) * 4120, "{log} bytes");
        assert_eq!(fs::metadata(folder.path().join("a.db-wal")).unwrap().len(), 0);
        let rows: u32 = writing.query_row("SELECT COUNT(*) FROM row", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, MOST);
    }

    #[test]
    fn what_waits_is_moved_by_the_thread_while_the_writer_rests() {
        let folder = tempfile::tempdir().unwrap();
        let mut writing = open(folder.path());
        writing.execute_batch("CREATE TABLE row (bytes BLOB NOT NULL)").unwrap();
        let before = fs::metadata(folder.path().join("a.db")).unwrap().len();
        let mut checkpoints = Checkpoints::beside(&mut writing, open(folder.path())).unwrap();

        writing.execute("INSERT INTO row VALUES (zeroblob(8000000))", []).unwrap();
        checkpoints.committed(&writing);
        drop(checkpoints);

        assert!(fs::metadata(folder.path().join("a.db")).unwrap().len() > before + 8_000_000);
    }
}
