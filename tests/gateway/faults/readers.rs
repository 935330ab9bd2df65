//! Somebody who reads the ledger for too long: SQLite cannot carry the write-ahead log over meanwhile, and it
//! grows (reference: delivery F17).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use referral_gateway::fhir::client::http_client;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::checker::{self, assert_no_patient_in};
use super::world::{PATIENCE, World};
use crate::support::{Options, TestGateway, assert_refused, issues_of};

/// Reads the ledger as it is now, until it is dropped.
fn reader(ledger: &Path) -> Connection {
    let reader = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM referral").unwrap();
    reader
}

/// The size of the write-ahead log, in bytes.
fn log_size(ledger: &Path) -> u64 {
    fs::metadata(ledger.with_extension("db-wal")).unwrap().len()
}

async fn shut(gateway: &TestGateway) -> Value {
    gateway.gateway().look_at_pressure().await;
    gateway.operator_calls("GET", "/readyz").send().await.body["shut"].clone()
}

#[tokio::test]
async fn a_log_that_a_reader_keeps_from_shrinking_shuts_the_door_until_the_reader_has_gone() {
    let limits = "wal_bytes = 400000\nburst = 1000000\ntoken_burst = 1000000\nfree_disk_bytes = 0\n\
                  free_disk_percent = 0\nballast_bytes = 0";
    let mut gateway = TestGateway::with(Options { limits, ..Options::default() }).await;
    let referral = |seed| people::referral(seed, &ReferralOptions::default());
    let ledger = gateway.ledger();
    let first = gateway.send_bundle("lakeside", &referral(1)).await;
    let reader = reader(&ledger);
    let mut sent = 1;
    while log_size(&ledger) <= 400_000 {
        sent += 1;
        assert_eq!(gateway.send_bundle("lakeside", &referral(sent)).await.status, 200);
    }

    assert_eq!(shut(&gateway).await, json!(["write-ahead-log"]));
    let new = gateway.send_bundle("lakeside", &referral(sent + 1)).await;
    let repeat = gateway.send_bundle("lakeside", &referral(1)).await;
    let read = gateway.lakeside().client().get("Task").await.unwrap();
    let metrics = gateway.metrics().await;

    assert_refused(&new, 503, "GW_SHUT");
    assert_eq!(
        (&new.headers["retry-after"], &new.body["issue"][0]["code"]),
        (&"30".parse().unwrap(), &json!("throttled"))
    );
    assert_eq!((repeat.status.as_u16(), &repeat.body), (200, &first.body));
    assert_eq!(read.status, 200);
    assert!(metrics["refgw_wal_bytes"] > 400_000.0, "{metrics:?}");
    assert!(metrics[r#"refgw_shut{why="write-ahead-log"}"#] > 0.0, "{metrics:?}");

    drop(reader);
    assert_eq!(shut(&gateway).await, json!([]));
    assert_eq!(log_size(&ledger), 0);
    assert!(gateway.metrics().await["refgw_wal_bytes"] < 1.0);
    assert_eq!(gateway.send_bundle("lakeside", &referral(sent + 1)).await.status, 200);
    gateway.settle().await;
    assert_eq!(gateway.rows("referral"), i64::try_from(sent).unwrap() + 1);
}

/// The same with a process under load, which nobody tells to look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_log_a_reader_starves_takes_referrals_again_by_itself() {
    const LIMIT: u64 = 2_000_000;
    let mut world = World::start(1, "").await;
    world.letter_bytes = 50_000;
    world.rewrite("ballast_bytes = 0", &format!("ballast_bytes = 0\nwal_bytes = {LIMIT}\nlook_every_s = 1"));
    let serving = world.serve();
    world.send_until_taken(0, 1).await;

    let reader = reader(&world.ledger_file());
    let mut seed = 1;
    let refused = loop {
        seed += 1;
        let reply = world.send(0, seed).await.expect("there is an answer");
        if !reply.status.is_success() {
            break reply;
        }
    };
    let repeat = world.send(0, 1).await.unwrap();
    let grown = log_size(&world.ledger_file());
    let alive = Instant::now();
    let live = http_client().get(format!("{}/livez", world.operator_url)).send().await.unwrap();

    assert_eq!((refused.status.as_u16(), issues_of(&refused)[0].0.as_str()), (503, "GW_SHUT"));
    assert_eq!(repeat.status, 200);
    assert_eq!((live.status().as_u16(), alive.elapsed() < Duration::from_secs(1)), (200, true));
    assert!(grown > LIMIT, "{grown}");
    assert!(serving.peak_memory() < 256 * 1024, "{} KiB", serving.peak_memory());

    drop(reader);
    world.send_until_taken(0, seed).await;
    assert!(log_size(&world.ledger_file()) < LIMIT);
    assert!(world.clinic.wait_for_referral(usize::try_from(seed).unwrap(), PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();

    assert!(status.success(), "{log}");
    assert!(log.contains("no new referrals are taken for now") && log.contains("referrals are taken again"));
    checker::check(&world).await.assert_none();
    assert_no_patient_in(&log, &world);
}
