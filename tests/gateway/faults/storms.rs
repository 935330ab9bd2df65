//! Many at once, and too little of everything (reference: delivery F41, F49, F53).

use std::process::Command;
use std::time::Duration;

use referral_gateway::fhir::client::http_client;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::checker::{self, assert_no_patient_in};
use super::world::{PATIENCE, World};
use crate::process::{Serving, UP, program};

/// A connection to the public door that has sent half of a referral.
async fn half_sent(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(world.public_url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 9000\r\n\r\n{";
    // The gateway may not take it: that is what the test is about.
    let _ = stream.write_all(head.as_bytes()).await;
    stream
}

async fn comes_to_rest(world: &World, serving: Serving, referrals: usize) -> String {
    assert!(world.clinic.wait_for_referral(referrals, PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();
    assert!(status.success(), "{log}");
    checker::check(world).await.assert_none();
    assert_no_patient_in(&log, world);
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_that_send_the_same_at_once_have_one_referral() {
    let world = std::sync::Arc::new(World::start(1, "").await);
    let serving = world.serve();
    assert_eq!(world.partners[0].get("Task").await.unwrap().status, 200);
    let mut senders = JoinSet::new();
    for _ in 0..200 {
        let world = std::sync::Arc::clone(&world);
        senders.spawn(async move { world.send(0, 1).await.map(|it| it.status.as_u16()) });
    }

    let statuses = senders.join_all().await;
    let mut other = world.referral(0, 1);
    other["entry"][0]["resource"]["gender"] = "unknown".into();
    let refused = world.partners[0].send_bundle(&other).await.unwrap();

    assert!(statuses.iter().all(|it| *it == Some(200)), "{statuses:?}");
    assert_eq!(refused.status, 422);
    comes_to_rest(&world, serving, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_slow_uploads_hold_up_nobody() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(half_sent(&world).await);
    }

    world.send_until_taken(0, 1).await;
    let alive = http_client().get(format!("{}/livez", world.operator_url)).timeout(Duration::from_secs(1));
    assert_eq!(alive.send().await.unwrap().status(), 200);
    assert!(serving.open_files() < 512);

    drop(slow);
    comes_to_rest(&world, serving, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_runs_out_of_files_recovers_and_loses_nothing() {
    let world = World::start(1, "").await;
    let program = program();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$0\" serve --config \"$1\""]);
    limited.arg(program.get_program()).arg(world.folder()).env_remove("RUST_LOG");
    let mut serving = Serving::run(limited);
    serving.wait_for(UP);
    world.send_until_taken(0, 1).await;

    let mut open = Vec::new();
    for _ in 0..120 {
        open.push(half_sent(&world).await);
    }
    serving.wait_for("a connection could not be accepted");
    let _ = tokio::time::timeout(Duration::from_secs(2), world.send(0, 2)).await;
    drop(open);

    world.send_until_taken(0, 2).await;
    comes_to_rest(&world, serving, 2).await;
}
