//! What the ledger costs, beside the least that it could cost: `cargo bench --bench ledger`.
//!
//! Each figure of the ledger is followed at once by that of a bare loop that writes the same rows with the same
//! durability; the two take turns for `--rounds` rounds. On a busy machine compare ratios and processor time,
//! not rates. `--quick` takes some seconds and shows that everything runs; `--only accept`, `finish`, `backlog`,
//! `isolation`, `http` or `postgres` does one part; `--folder` says on which disk.

mod backlog;
mod bare;
mod bare_http;
mod bare_postgres;
mod bodies;
mod conditions;
mod figures;
mod gateway;
mod isolation;
mod on_postgres;
mod over_http;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Builder;

use bare::Bare;
use conditions::{cpu_pressure, fsync_probe};
use figures::{Pairs, Run, Spread};
use gateway::AT_ONCE;

/// How much is measured.
pub(crate) struct Plan {
    folder: PathBuf,
    rounds: usize,
    lasts: Duration,
    backlogs: Vec<usize>,
}

impl Plan {
    fn of_arguments() -> Self {
        let quick = std::env::args().any(|it| it == "--quick");
        let rounds = argument("--rounds").and_then(|it| it.parse().ok());
        Self {
            folder: argument("--folder").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from),
            rounds: rounds.unwrap_or(if quick { 1 } else { 5 }),
            lasts: Duration::from_millis(if quick { 150 } else { 1000 }),
            backlogs: if quick { vec![500, 2_000] } else { vec![1_000, 10_000, 100_000] },
        }
    }

    /// A new folder on the disk that is measured.
    fn folder(&self) -> TempDir {
        tempfile::tempdir_in(&self.folder).expect("the folder can be written to")
    }

    /// Tells under what conditions the next figures are measured.
    fn heading(&self, what: &str) {
        let folder = self.folder();
        let (median, slow) = fsync_probe(folder.path(), if self.rounds > 1 { 200 } else { 50 });
        let pressure = cpu_pressure();
        say(&format!(
            "\n{what}  (fdatasync of 4 KiB: {median:.0} µs, p99 {slow:.0}; CPU pressure {pressure} %)"
        ));
    }
}

fn main() {
    let plan = Plan::of_arguments();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let only = argument("--only");
    let wanted = |part: &str| only.as_deref().is_none_or(|it| it == part);
    runtime.expect("the operating system can start threads").block_on(async {
        // First, so that the peak of the memory is its own.
        if wanted("backlog") {
            backlog::measure(&plan).await;
        }
        if wanted("accept") {
            accept(&plan).await;
        }
        if wanted("finish") {
            finish(&plan).await;
        }
        if wanted("isolation") {
            isolation::measure(&plan).await;
        }
        if wanted("http") {
            over_http::measure(&plan).await;
        }
        if wanted("postgres") {
            on_postgres::measure(&plan).await;
        }
    });
}

async fn accept(plan: &Plan) {
    plan.heading("accept, SQLite");
    for bytes in bodies::SIZES {
        let sealed_bytes = gateway::sealed_bytes(bytes);
        for senders in [1, 16, 64] {
            let (mut pairs, mut most) = (Pairs::default(), Vec::new());
            for _ in 0..plan.rounds {
                let (ledger, page_bytes) = accept_once(plan, senders, bytes).await;
                let bare = |together| {
                    Bare::new(plan.folder().path(), page_bytes, sealed_bytes).accept_for(plan.lasts, together)
                };
                pairs.0.push((ledger, bare(whole(ledger.together))));
                most.push(bare(256));
            }
            let together = pairs.together();
            let most = Spread::of(most.iter().map(Run::per_second));
            say(&format!(
                "{:>2} KiB ({sealed_bytes} B stored), {senders:>2} senders: {pairs}; {together:.1} together (limit at 256: {most}/s)",
                bytes / 1024
            ));
        }
    }
}

async fn accept_once(plan: &Plan, senders: usize, bytes: usize) -> (Run, u32) {
    let folder = plan.folder();
    let commits = Arc::default();
    let store = gateway::open_counted(folder.path(), &commits).await;
    let before = commits.so_far();
    let run = gateway::accept_for(&store, senders, bytes, plan.lasts).await;
    let together = f64::from(run.items) / commits.since(before).max(1.0);
    (Run { together, ..run }, page_bytes(folder.path()))
}

async fn finish(plan: &Plan) {
    plan.heading("claim and finish, SQLite");
    let mut pairs = Pairs::default();
    let enough = if plan.rounds > 1 { 20_000 } else { 2_000 };
    for _ in 0..plan.rounds {
        let folder = plan.folder();
        let commits = Arc::default();
        let store = gateway::open_counted(folder.path(), &commits).await;
        gateway::fill(&store, enough).await;
        let before = commits.so_far();
        let (run, claims) = gateway::work_for(&store, plan.lasts).await;
        let settling = commits.since(before) - f64::from(claims);
        let together = f64::from(run.items) / settling.max(1.0);
        let page_bytes = page_bytes(folder.path());
        drop(store);
        let bare = Bare::new(plan.folder().path(), page_bytes, gateway::sealed_bytes(1024));
        bare.fill(u32::try_from(enough).unwrap_or(u32::MAX));
        let bare = bare.work_for(plan.lasts, AT_ONCE, whole(together) as usize);
        pairs.0.push((Run { together, ..run }, bare));
    }
    say(&format!("{AT_ONCE} at once: {pairs}; {:.1} settled together", pairs.together()));
}

fn page_bytes(folder: &Path) -> u32 {
    let connection = Connection::open(folder.join("gateway.db")).expect("the ledger can be read");
    connection.query_row("PRAGMA page_size", [], |row| row.get(0)).expect("SQLite knows its page size")
}

/// The nearest batch of at least one.
fn whole(together: f64) -> u32 {
    (1..=256)
        .min_by(|one, other| {
            let distance = |it: &u32| (f64::from(*it) - together).abs();
            distance(one).total_cmp(&distance(other))
        })
        .unwrap_or(1)
}

fn argument(name: &str) -> Option<String> {
    let given: Vec<String> = std::env::args().collect();
    let at = given.iter().position(|it| it == name)?;
    given.get(at + 1).cloned()
}

pub(crate) fn say(line: &str) {
    // A reader that has gone away is no mistake.
    let _ = writeln!(io::stdout(), "{line}");
}
