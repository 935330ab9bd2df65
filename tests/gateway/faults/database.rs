//! What a gateway survives when its ledger is in PostgreSQL: a server that stops, connections that are cut at
//! the worst moment, other gateways, and silence (reference: delivery F34 to F37, F39). Nothing of it is tested
//! where PostgreSQL is not installed; on CI it must be.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, RecordedRequest};
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::checker;
use super::proxy::{End, Harm, Proxy, Spoil, Towards};
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
    for referral in in_status(world, "requested") {
        world.clinic.accept(&referral);
    }
    world.clinic_calls().await;
}

/// The staff complete every referral that they have accepted.
async fn complete_all(world: &World) {
    for referral in in_status(world, "accepted") {
        world.clinic.complete(&referral);
    }
    world.clinic_calls().await;
}

/// The referrals whose Task at the clinic is in this status.
fn in_status(world: &World, status: &str) -> Vec<ClinicReferral> {
    let clinic = &world.clinic;
    let task = |id: &str| clinic.server().read("Task", id.trim_start_matches("Task/"));
    let mut all = clinic.referrals();
    all.retain(|it| task(&it.task).is_some_and(|it| it["status"] == status));
    all
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

/// A thousand lanes: five hundred referrals, each to the clinic and with two updates back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_race_over_a_thousand_lanes_do_each_effect_once_and_in_order() {
    const REFERRALS: u64 = 500;
    const LONG: Duration = Duration::from_mins(1);
    let Some(server) = PostgresServer::shared() else { return };
    // Few hands each, so that neither can do it all before the other one looks.
    let world = World::start_on(&server.database().await, 2, 2, "workers = 4\n").await;
    let gateways = serve_all(&world);
    let delivered = async |times: u64| {
        let done = "SELECT COUNT(*) FROM delivery WHERE state = 5";
        world.wait_for_count(done, i64::try_from(times * REFERRALS).unwrap(), LONG).await;
    };

    let senders = [0, 1, 2, 3].map(|sender| {
        let world = &world;
        async move {
            for seed in (1..=REFERRALS).filter(|seed| seed % 4 == sender) {
                world.send_until_taken(usize::from(seed % 2 == 0), seed).await;
            }
        }
    });
    let [first, second, third, fourth] = senders;
    tokio::join!(first, second, third, fourth);
    delivered(1).await;
    accept_all(&world).await;
    delivered(2).await;
    complete_all(&world).await;
    delivered(3).await;

    let lanes = world.count("SELECT COUNT(*) FROM lane");
    let logs = comes_to_rest(&world, gateways, usize::try_from(REFERRALS).unwrap()).await;
    assert_eq!(lanes, 1000);
    for partner in &world.partners {
        let tasks = partner.server().all("Task");
        assert_eq!(tasks.iter().filter(|it| it["status"] == "completed").count(), 250);
        assert_eq!(partner.server().history("Task").len(), 500, "each version once");
    }
    let decided: Vec<usize> = logs.iter().map(|it| it.matches("consent decided").count()).collect();
    assert!(decided.iter().all(|it| *it > 50), "each takes part: {decided:?}");
}

/// Every notice is spoilt on its way, so that those who listen hear nothing; the one that knows of the work has
/// its hands full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_found_within_two_seconds_when_every_notice_gets_lost() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database().await;
    let world = World::start_on(&database, 2, 1, "workers = 1\n").await;
    world.rewrite("timeout_s = 2", "timeout_s = 20");
    // A look at the clinic wakes the worker too.
    world.rewrite("poll_interval_s = 1", "poll_interval_s = 3600");
    listen_elsewhere(&world.folder_of(1).join("gateway.toml"));
    let address = format!("127.0.0.1:{}", server.port);
    let proxy = Proxy::before_address(&address).await;
    world.rewrite(&address, &proxy.address());
    let spoilt: Spoil = (b"NOTIFY referral_gateway_work", b"NOTIFY referral_gateway_lost");
    proxy.harm(Towards::Server, Harm { spoil: Some(spoilt), ..Harm::default() });
    let gateways = serve_all(&world);
    let mut heard = PgListener::connect(&database).await.unwrap();
    heard.listen_all(["referral_gateway_work", "referral_gateway_lost"]).await.unwrap();

    // The first one is the only one that works, and then it has no hand free.
    gateways[1].signal("STOP");
    let slowly = Fault::new(Misbehaviour::Slowly(Duration::from_secs(9)));
    world.clinic.server().faults().push(slowly.on("POST", ""));
    world.send_until_taken(0, 1).await;
    let is_busy = |requests: &[RecordedRequest]| requests.iter().any(|it| it.method == "POST");
    assert!(world.clinic.server().wait_for_requests(is_busy, PATIENCE).await);
    gateways[1].signal("CONT");

    let done = "SELECT COUNT(*) FROM delivery WHERE state = 5";
    for found in 1..5 {
        world.send_until_taken(0, found + 1).await;
        let answered = Instant::now();
        assert!(world.clinic.wait_for_referral(usize::try_from(found).unwrap(), PATIENCE).await.is_some());
        let took = answered.elapsed();
        assert!(took < Duration::from_secs(2), "number {found} took {took:?}");
        world.wait_for_count(done, i64::try_from(found).unwrap(), PATIENCE).await;
        // A look at the clinic follows, and wakes the worker: what comes after it must find it asleep.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }

    let held = "SELECT COUNT(*) FROM lane WHERE lease_owner = 'gateway-0' AND lease_until_ms IS NOT NULL";
    assert_eq!(world.count(held), 1, "the first one had its hands full all the while");
    let mut lost = 0;
    while let Ok(Ok(notice)) = tokio::time::timeout(Duration::from_millis(50), heard.recv()).await {
        assert_eq!(notice.channel(), "referral_gateway_lost");
        lost += 1;
    }
    assert!(lost >= 4, "{lost} notices were lost");
    comes_to_rest(&world, gateways, 5).await;
}

/// The one that recorded it can neither do it nor tell of it, and who listens has lost the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_found_within_seconds_when_nobody_is_told_of_it() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database().await;
    let world = World::start_on(&database, 2, 1, "").await;
    world.rewrite("poll_interval_s = 1", "poll_interval_s = 3600");
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
    assert!(took < Duration::from_secs(2), "it took {took:?}");
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
