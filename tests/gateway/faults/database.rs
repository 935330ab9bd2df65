//! What a gateway survives when its ledger is in PostgreSQL: a server that stops, connections that are cut at
//! the worst moment, other gateways, and silence (reference: delivery F34 to F37, F39). Nothing of it is tested
//! where PostgreSQL is not installed; on CI it must be.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::checker;
use super::proxy::{End, Harm, Proxy, Towards};
use super::world::{PATIENCE, World};
use crate::process::{Serving, UP};
use crate::support::PostgresServer;

/// Starts every gateway of a world.
fn serve_all(world: &World) -> Vec<Serving> {
    let mut all: Vec<Serving> =
        (0..world.gateways()).map(|place| Serving::spawn(world.folder_of(place), &[])).collect();
    for gateway in &mut all {
        gateway.wait_for(UP);
    }
    all
}

/// What was begun comes to its end, with every invariant. Gives the gateways' logs.
async fn comes_to_rest(world: &World, gateways: Vec<Serving>, referrals: usize) -> Vec<String> {
    assert!(world.clinic.wait_for_referral(referrals, PATIENCE).await.is_some(), "all are at the clinic");
    world.wait_until_settled(PATIENCE).await;
    let mut logs = Vec::new();
    for gateway in gateways {
        let (status, log) = gateway.terminate();
        assert!(status.success(), "{log}");
        logs.push(log);
    }
    checker::check(world).await.assert_none();
    logs
}

/// Sends these referrals, one after the other, each until it is taken.
async fn send_all(world: &World, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        world.send_until_taken(0, seed).await;
    }
}

/// The staff accept every referral that is at the clinic and that they have not accepted yet.
async fn accept_all(world: &World) {
    let clinic = &world.clinic;
    let is_new = |task: &str| {
        let id = task.trim_start_matches("Task/");
        clinic.server().read("Task", id).is_some_and(|it| it["status"] == "requested")
    };
    for referral in clinic.referrals().iter().filter(|it| is_new(&it.task)) {
        clinic.accept(referral);
    }
    world.clinic_calls().await;
}

/// How many Tasks at the partner are in this status.
fn at_partner(world: &World, status: &str) -> usize {
    world.partners[0].server().all("Task").iter().filter(|it| it["status"] == status).count()
}

async fn wait_at_partner(world: &World, status: &str, count: usize) {
    let end = Instant::now() + PATIENCE;
    while at_partner(world, status) < count {
        assert!(Instant::now() < end, "{} of {count} are {status} at the partner", at_partner(world, status));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stops_in_the_middle_of_everything_is_used_again_when_it_is_back() {
    let Some(server) = PostgresServer::start() else { return };
    let world = World::start_on(&server.database().await, 1, 1, "lease_s = 5\n").await;
    let gateways = serve_all(&world);

    let sends = send_all(&world, 1..31);
    let stops = async {
        for moment in [3, 9, 15] {
            // Some are accepted, some claimed, some are just being finished.
            world.clinic.wait_for_referral(moment, PATIENCE).await.expect("some have arrived");
            accept_all(&world).await;
            tokio::task::block_in_place(|| {
                server.stop_at_once();
                std::thread::sleep(Duration::from_millis(300));
                server.start_again();
            });
        }
        Instant::now()
    };
    let ((), back) = tokio::join!(sends, stops);
    assert!(world.clinic.wait_for_referral(30, PATIENCE).await.is_some());
    accept_all(&world).await;
    wait_at_partner(&world, "accepted", 30).await;

    assert!(back.elapsed() < PATIENCE, "it took {:?} to recover", back.elapsed());
    comes_to_rest(&world, gateways, 30).await;
}

/// Towards the server: the commit does not arrive. Towards the client: it happened, and nobody is told. What a
/// sender is told then is shown by `lost_commit.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_at_the_commit_loses_nothing_and_doubles_nothing() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database().await;
    let world = World::start_on(&database, 1, 1, "lease_s = 3\n").await;
    let address = format!("127.0.0.1:{}", server.port);
    let proxy = Proxy::before_address(&address).await;
    world.rewrite(&address, &proxy.address());
    let gateways = serve_all(&world);

    for (towards, seeds) in [(Towards::Server, 1..13_u64), (Towards::Client, 13..25)] {
        let cuts = proxy.ends();
        for seed in seeds.clone() {
            // Whatever commits while it is being recorded: this referral, a claim, a finding.
            let cutting = async {
                for _ in 0..40 {
                    proxy.harm(towards, Harm { at: Some((b"COMMIT", End::Reset)), ..Harm::default() });
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                proxy.harm(towards, Harm::default());
            };
            tokio::join!(world.send(0, seed), cutting);
            world.send_until_taken(0, seed).await;
            accept_all(&world).await;
        }
        proxy.harm(towards, Harm::default());
        let cuts = proxy.ends() - cuts;
        assert!(cuts >= 8, "only {cuts} connections were cut {towards:?}");
    }

    assert!(world.clinic.wait_for_referral(24, PATIENCE).await.is_some());
    accept_all(&world).await;
    wait_at_partner(&world, "accepted", 24).await;
    comes_to_rest(&world, gateways, 24).await;
}

/// What one gateway had begun and cannot end holds the rows that it changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_falls_silent_within_a_transaction_holds_nobody_up_for_long() {
    let Some(server) = PostgresServer::shared() else { return };
    let world = World::start_on(&server.database().await, 2, 1, "lease_s = 3\n").await;
    let address = format!("127.0.0.1:{}", server.port);
    let proxy = Proxy::before_address(&address).await;
    world.rewrite(&address, &proxy.address());
    let gateways = serve_all(&world);
    world.send_until_taken(0, 1).await;

    let began = Instant::now();
    proxy.harm(Towards::Server, Harm { at: Some((b"COMMIT", End::Silence)), ..Harm::default() });
    proxy.wait_for_an_end(PATIENCE).await;
    send_all(&world, 2..6).await;
    assert!(world.clinic.wait_for_referral(5, PATIENCE).await.is_some());
    accept_all(&world).await;
    wait_at_partner(&world, "accepted", 5).await;

    assert!(began.elapsed() < Duration::from_secs(15), "it took {:?}", began.elapsed());
    comes_to_rest(&world, gateways, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_race_over_many_lanes_do_each_effect_once() {
    let Some(server) = PostgresServer::shared() else { return };
    // Few hands each, so that neither can do it all before the other one looks.
    let world = World::start_on(&server.database().await, 2, 2, "workers = 2\n").await;
    let gateways = serve_all(&world);

    let senders = [0, 1].map(|partner| {
        let world = &world;
        async move {
            for seed in (1..61).filter(|seed| seed % 2 == partner as u64) {
                world.send_until_taken(partner, seed).await;
            }
        }
    });
    let [first, second] = senders;
    tokio::join!(first, second);
    assert!(world.clinic.wait_for_referral(60, PATIENCE).await.is_some());
    accept_all(&world).await;
    wait_at_partner(&world, "accepted", 30).await;
    world.wait_for_count("SELECT COUNT(*) FROM delivery WHERE state = 5", 120, PATIENCE).await;

    let logs = comes_to_rest(&world, gateways, 60).await;
    let decided = logs.iter().map(|it| it.matches("consent decided").count());
    assert!(decided.clone().all(|it| it > 0), "each takes part: {:?}", decided.collect::<Vec<_>>());
}

/// The one that recorded it can neither do it nor tell of it, and nobody listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_found_within_seconds_when_nobody_is_told_of_it() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database().await;
    let world = World::start_on(&database, 2, 1, "").await;
    listen_elsewhere(&world.folder_of(1).join("gateway.toml"));
    let points = tempfile::tempdir().unwrap();
    let mut first = world.serve_with(&[("REFERRAL_GATEWAY_CRASH_POINTS", points.path())]);
    let mut second = Serving::spawn(world.folder_of(1), &[]);
    second.wait_for(UP);
    world.send_until_taken(0, 1).await;
    world.wait_until_settled(PATIENCE).await;

    let mut operator = PgConnection::connect(&database).await.unwrap();
    let listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'";
    let ended = operator.fetch_all(listening).await.unwrap().len();
    fs::write(points.path().join("after-commit"), "").unwrap();
    let stopped = tokio::task::spawn_blocking(move || {
        first.wait_for("crash point after-commit");
        first
    });
    let found = async {
        let first = stopped.await.unwrap();
        let began = Instant::now();
        assert!(world.clinic.wait_for_referral(2, PATIENCE).await.is_some());
        let took = began.elapsed();
        first.kill();
        took
    };
    let (_, took) = tokio::join!(world.send(0, 2), found);

    assert!(ended > 0, "somebody had listened");
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    fs::remove_file(points.path().join("after-commit")).unwrap();
    let first = world.serve();
    world.send_until_taken(0, 2).await;
    comes_to_rest(&world, vec![first, second], 2).await;
}

/// Partners do not reach this gateway; it only works.
fn listen_elsewhere(settings: &Path) {
    let text = fs::read_to_string(settings).unwrap();
    let lines =
        text.lines().map(|it| if it.starts_with("listen = ") { "listen = \"127.0.0.1:0\"" } else { it });
    fs::write(settings, lines.collect::<Vec<_>>().join("\n")).unwrap();
}

/// The one that stands still holds the lane, and goes on as if nothing had happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stands_still_past_its_lease_is_stood_in_for_and_overwrites_nothing() {
    let Some(server) = PostgresServer::shared() else { return };
    let world = World::start_on(&server.database().await, 2, 1, "lease_s = 3\n").await;
    let mut gateways = serve_all(&world);
    world.send_until_taken(0, 1).await;
    let referral = world.clinic.wait_for_referral(1, PATIENCE).await.unwrap();
    world.wait_until_settled(PATIENCE).await;
    let lakeside = world.partners[0].server();
    let slowly = Fault::new(Misbehaviour::Slowly(Duration::from_millis(800)));
    lakeside.faults().push(slowly.on("POST", ""));

    // Only the first one works while it takes the lane.
    let second = gateways.pop().unwrap();
    second.signal("STOP");
    world.clinic.accept(&referral);
    assert!(lakeside.wait_for_requests(|it| it.iter().any(|it| it.method == "POST"), PATIENCE).await);
    gateways[0].signal("STOP");
    second.signal("CONT");
    let done = "SELECT COUNT(*) FROM delivery WHERE resource_type IS NOT NULL AND state = 5";
    world.wait_for_count(done, 1, PATIENCE).await;
    gateways[0].signal("CONT");
    world.clinic.complete(&referral);
    wait_at_partner(&world, "completed", 1).await;

    gateways.push(second);
    let logs = comes_to_rest(&world, gateways, 1).await;
    assert!(logs[0].contains("settled too late"), "{}", logs[0]);
}
