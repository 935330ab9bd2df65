//! A disk that fills or fails under the real process (reference: delivery F14 to F16, F18).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use referral_gateway::sandbox::gateway_client::Reply;

use super::checker::{self, assert_no_patient_in};
use super::world::{PATIENCE, World};
use crate::process::Serving;
use crate::support::issues_of;

/// A gateway whose disk does as it is told.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap() };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/faults/disk_shim.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(disk.shim()).arg(source).arg("-ldl");
        assert!(compiler.status().unwrap().success(), "the C compiler makes the shim");
        disk
    }

    fn shim(&self) -> PathBuf {
        self.folder.path().join("shim.so")
    }

    fn orders(&self) -> PathBuf {
        self.folder.path().join("orders")
    }

    /// From now on calls like this fail; see the shim for the words.
    fn order(&self, words: &str) {
        // Put in place as a whole: the shim must not read half an order.
        let new = self.folder.path().join("new");
        fs::write(&new, words).unwrap();
        fs::rename(new, self.orders()).unwrap();
    }

    fn mend(&self) {
        fs::remove_file(self.orders()).unwrap();
    }

    fn serve(&self, world: &World) -> Serving {
        world.serve_with(&self.environment().each_ref().map(|(name, file)| (*name, file.as_path())))
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", self.shim()), ("DISK_ORDERS", self.orders())]
    }
}

/// The sender is told that nothing is certain, and to send the same again.
fn assert_uncertain(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(issues_of(reply)[0].0, "GW_STORE_UNAVAILABLE");
}

/// Whatever the order: the process ends with a failure, and the next one has everything that was answered.
async fn survives(order: &str) {
    let world = World::start(1, "").await;
    let disk = Disk::new();
    let serving = disk.serve(&world);
    world.send_until_taken(0, 1).await;

    disk.order(order);
    let reply = world.send(0, 2).await.expect("there is an answer");
    let (status, first) = tokio::task::spawn_blocking(|| serving.wait_for_end()).await.unwrap();
    disk.mend();
    let serving = disk.serve(&world);
    world.send_until_taken(0, 2).await;
    world.send_until_taken(0, 1).await;
    assert!(world.clinic.wait_for_referral(2, PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    let (_, last) = serving.terminate();

    assert_uncertain(&reply);
    assert_eq!(status.code(), Some(1), "{first}");
    assert!(first.contains("the ledger failed to commit"), "{first}");
    assert!(world.told().last().unwrap().repeated, "what was answered before is known");
    checker::check(&world).await.assert_none();
    assert_no_patient_in(&format!("{first}{last}"), &world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_ends_the_process_and_loses_nothing_that_was_answered() {
    survives("sync EIO -wal").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_ends_the_process_and_loses_nothing_that_was_answered() {
    survives("write EIO -wal").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_loses_nothing_that_was_answered() {
    survives("write ENOSPC -wal").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_fails_and_says_so() {
    let world = World::start(1, "").await;
    let disk = Disk::new();
    let serving = disk.serve(&world);
    world.send_until_taken(0, 1).await;
    serving.kill();

    disk.order("write ENOSPC -wal\nwrite ENOSPC -shm\nwrite ENOSPC gateway.db");
    let environment = disk.environment();
    let environment = environment.each_ref().map(|(name, file)| (*name, file.as_path()));
    let full = Serving::spawn(world.folder(), &environment);
    let (status, log) = tokio::task::spawn_blocking(|| full.wait_for_end()).await.unwrap();

    assert!(!status.success());
    assert!(log.contains("the store is unavailable: DiskFull") || log.contains("SQLite"), "{log}");
    disk.mend();
    let serving = disk.serve(&world);
    assert!(world.clinic.wait_for_referral(1, PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    serving.terminate();
    checker::check(&world).await.assert_none();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_finds_no_room_loses_nothing() {
    let mut world = World::start(1, "").await;
    world.letter_bytes = 300_000;
    let disk = Disk::new();
    let serving = disk.serve(&world);

    disk.order("write ENOSPC gateway.db");
    // More pages than the gateway leaves in the write-ahead log (1000 of 8 KiB).
    for seed in 1..=32 {
        world.send_until_taken(0, seed).await;
    }
    disk.mend();
    assert!(world.clinic.wait_for_referral(32, PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();

    assert!(status.success(), "{log}");
    checker::check(&world).await.assert_none();
}

/// What a torn tail held was done at most after the last answer: it is done again, and only once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_tail_of_the_write_ahead_log_costs_only_what_nobody_was_told() {
    for tear in [cut as fn(Vec<u8>) -> Vec<u8>, flip] {
        let world = World::start(1, "").await;
        let serving = world.serve();
        for seed in 1..=3 {
            world.send_until_taken(0, seed).await;
        }
        assert!(world.clinic.wait_for_referral(3, PATIENCE).await.is_some());
        world.wait_until_settled(PATIENCE).await;
        serving.kill();
        let file = world.folder().join("gateway.db-wal");
        fs::write(&file, tear(fs::read(&file).unwrap())).unwrap();

        let serving = world.serve();
        world.send_until_taken(0, 4).await;
        assert!(world.clinic.wait_for_referral(4, PATIENCE).await.is_some());
        world.wait_until_settled(PATIENCE).await;
        serving.terminate();

        checker::check(&world).await.assert_none();
    }
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 100);
    bytes
}

fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let tail = bytes.len() - 100;
    bytes[tail..].iter_mut().for_each(|it| *it ^= 0xff);
    bytes
}
