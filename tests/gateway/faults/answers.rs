//! Answers that come slowly, without end, broken off, or of somebody else (reference: delivery F23 to F29).

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::body::Bytes;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, FhirServer, FhirServerOptions, Misbehaviour};

use super::checker;
use super::proxy::{End, Harm, Proxy, Towards, origin};
use super::world::{PATIENCE, World};
use crate::process::Serving;
use crate::support::TestGateway;

const LONG: Duration = Duration::from_mins(5);

/// A world with two partners and a proxy before the first one's server, and a referral of each at the clinic.
async fn with_a_proxy_before_lakeside() -> (World, Proxy, Serving, [ClinicReferral; 2]) {
    let world = World::start(2, "").await;
    let lakeside = world.partners[0].server().base_url().to_owned();
    let proxy = Proxy::before(&lakeside).await;
    world.rewrite(origin(&lakeside), &proxy.origin());
    // What it offers is not asked for first: the first thing that the proxy harms is the update itself.
    world.rewrite("mode = \"rest\"", "mode = \"rest\"\neffects = \"conditional-create\"");
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    let theirs = world.clinic.wait_for_referral(1, PATIENCE).await.unwrap();
    world.send_until_taken(1, 2).await;
    let others = world.clinic.wait_for_referral(2, PATIENCE).await.unwrap();
    world.wait_until_settled(PATIENCE).await;
    (world, proxy, serving, [theirs, others])
}

async fn comes_to_rest(world: &World, serving: Serving) {
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();
    assert!(status.success(), "{log}");
    checker::check(world).await.assert_none();
}

fn posts(server: &FhirServer) -> usize {
    server.requests().iter().filter(|it| it.method == "POST").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_trickles_is_given_up_and_holds_up_nobody_else() {
    let (world, proxy, serving, [theirs, others]) = with_a_proxy_before_lakeside().await;
    proxy.harm(Towards::Client, Harm { trickle: Some(Duration::from_millis(250)), ..Harm::default() });

    world.clinic.accept(&theirs);
    world.clinic.accept(&others);
    world.clinic_calls().await;
    let hillside = world.partners[1].server();
    assert!(hillside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);
    let unknown = "SELECT COUNT(*) FROM delivery WHERE state = 3 AND reason = 'timeout'";
    world.wait_for_count(unknown, 1, PATIENCE).await;
    proxy.harm(Towards::Client, Harm::default());

    comes_to_rest(&world, serving).await;
    assert_eq!(posts(world.partners[0].server()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_within_the_answer_leaves_one_effect() {
    for (bytes, end) in [(40, End::Reset), (600, End::Reset), (600, End::Close), (600, End::HalfClose)] {
        let (world, proxy, serving, [theirs, _]) = with_a_proxy_before_lakeside().await;
        proxy.harm(Towards::Client, Harm { after: Some((bytes, end)), ..Harm::default() });

        world.clinic.accept(&theirs);
        world.clinic_calls().await;
        proxy.wait_for_an_end(PATIENCE).await;
        let lakeside = world.partners[0].server();
        assert!(lakeside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);

        comes_to_rest(&world, serving).await;
        assert_eq!(posts(lakeside), 1, "after {bytes} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_is_no_fault() {
    let (world, proxy, serving, [theirs, _]) = with_a_proxy_before_lakeside().await;
    proxy.harm(Towards::Server, Harm { latency: Duration::from_millis(100), ..Harm::default() });

    world.clinic.accept(&theirs);
    world.clinic_calls().await;
    let lakeside = world.partners[0].server();
    assert!(lakeside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);

    comes_to_rest(&world, serving).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM delivery WHERE attempts > 0"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_is_cut_off_and_the_memory_stays_small() {
    let (world, _proxy, serving, [theirs, _]) = with_a_proxy_before_lakeside().await;
    world.partners[0].server().faults().push(Fault::new(Misbehaviour::ApplyThenPour));

    world.clinic.accept(&theirs);
    world.clinic_calls().await;
    let lakeside = world.partners[0].server();
    assert!(lakeside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);
    world.wait_until_settled(PATIENCE).await;

    assert!(serving.peak_memory() < 256 * 1024, "{} KiB", serving.peak_memory());
    comes_to_rest(&world, serving).await;
    assert_eq!(posts(lakeside), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_two_gibibytes_is_not_read_and_its_effect_is_looked_for() {
    let (world, _proxy, serving, [theirs, _]) = with_a_proxy_before_lakeside().await;
    let before = serving.peak_memory();
    let lakeside = world.partners[0].server();
    lakeside.faults().push(Fault::new(Misbehaviour::ApplyThenPourSoMuch(2 << 30)).on("POST", ""));

    world.clinic.accept(&theirs);
    world.clinic_calls().await;
    assert!(lakeside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);
    world.wait_until_settled(PATIENCE).await;

    let grown = serving.peak_memory() - before;
    assert!(grown < 16 * 1024, "{grown} KiB more");
    let outcomes = world.ledger().rows("SELECT outcome FROM attempt ORDER BY started_ms DESC LIMIT 2");
    assert_eq!(outcomes, [[Some("delivered".to_owned())], [Some("answer-too-large".to_owned())]]);
    comes_to_rest(&world, serving).await;
    assert_eq!(posts(lakeside), 1);
}

#[tokio::test]
async fn a_compressed_answer_is_not_unpacked() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let bomb = Misbehaviour::Raw {
        status: 200,
        headers: vec![
            ("content-encoding", "gzip".to_owned()),
            ("content-type", "application/fhir+json".to_owned()),
        ],
        body: packed(100 * 1024 * 1024),
    };
    gateway.lakeside().server().faults().push(Fault::new(bomb).on("POST", "Task"));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let unknown = gateway.deliveries(DeliveryState::UnknownWait).await;
    gateway.after(LONG).await;

    assert_eq!(unknown[0].reason.as_deref(), Some("not-json"));
    assert_eq!(gateway.lakeside().server().all("Task").len(), 1);
}

/// So many spaces, as gzip packs them.
fn packed(bytes: usize) -> Bytes {
    let mut gzip = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let piece = vec![b' '; 1024 * 1024];
        (0..bytes / piece.len()).for_each(|_| input.write_all(&piece).unwrap());
    });
    let packed = gzip.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    packed.into()
}

/// The clinic's server mixes up two patients: what it gives is not what was asked for.
#[tokio::test]
async fn a_resource_of_another_patient_is_not_sent() {
    let mut gateway = TestGateway::start().await;
    let ours = gateway.referral(1).await;
    let other = gateway.referral(2).await;
    let faults = gateway.clinic().server().faults();
    gateway.clinic().accept(&ours);
    let (resource_type, id) = other.task.split_once('/').unwrap();
    let another = gateway.clinic().server().read(resource_type, id).unwrap();
    faults.push(Fault::new(Misbehaviour::WrongContent(another)).on("GET", &ours.task));

    gateway.settle().await;
    let at_first = gateway.lakeside().server().history("Task");
    gateway.after(LONG).await;

    assert_eq!(faults.pending(), 0, "the mix-up has happened");
    assert!(at_first.is_empty(), "{at_first:?}");
    let tasks = gateway.lakeside().server().history("Task");
    assert_eq!((tasks.len(), &tasks[0]["status"]), (1, &"accepted".into()));
}

/// The same for what travels along.
#[tokio::test]
async fn an_observation_of_another_patient_does_not_travel_along() {
    let mut gateway = TestGateway::start().await;
    let ours = gateway.referral(1).await;
    let other = gateway.referral(2).await;
    gateway.clinic().report_results(&other);
    gateway.settle().await;
    let server = gateway.clinic().server();
    let known = server.all("Observation");
    let another = known.last().unwrap().clone();
    gateway.clinic().report_results(&ours);
    let observation = server.all("Observation")[known.len()].clone();
    let path = format!("Observation/{}", observation["id"].as_str().unwrap());
    server.faults().push(Fault::new(Misbehaviour::WrongContent(another)).on("GET", &path));

    gateway.settle().await;
    let at_first = gateway.lakeside().server().all("DiagnosticReport").len();
    gateway.after(LONG).await;

    assert_eq!(server.faults().pending(), 0, "the mix-up has happened");
    assert_eq!((at_first, gateway.lakeside().server().all("DiagnosticReport").len()), (1, 2));
}

#[tokio::test]
async fn a_location_at_another_server_is_not_followed() {
    let mut gateway = TestGateway::start().await;
    gateway.expect_leftovers();
    let elsewhere = FhirServer::start(FhirServerOptions::default()).await.unwrap();
    let referral = gateway.referral(1).await;
    let foreign = Misbehaviour::Raw {
        status: 201,
        headers: vec![("location", format!("{}/Task/1/_history/1", elsewhere.base_url()))],
        body: Bytes::new(),
    };
    gateway.lakeside().server().faults().push(Fault::new(foreign).on("POST", "Task"));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.clinic().complete(&referral);
    gateway.settle().await;
    gateway.after(LONG).await;

    assert!(elsewhere.requests().is_empty());
}
