//! Stops, pauses, second instances, and starts that are cut off (reference: delivery F37, F38, F40, F54).

use std::fs;
use std::time::{Duration, Instant};

use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use rusqlite::Connection;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::checker;
use super::random::Random;
use super::world::{PATIENCE, World};
use crate::process::Serving;

async fn end(serving: Serving) -> (std::process::ExitStatus, String) {
    tokio::task::spawn_blocking(|| serving.wait_for_end()).await.unwrap()
}

async fn comes_to_rest(world: &World, referrals: usize) {
    let serving = world.serve();
    assert!(world.clinic.wait_for_referral(referrals, PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();
    assert!(status.success(), "{log}");
    checker::check(world).await.assert_none();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_asked_to_stop_under_load_keeps_every_answer() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;

    let sends = async {
        let all = (2..40).map(|seed| world.send(0, seed));
        for send in all {
            send.await;
        }
    };
    let stop = async {
        world.clinic.wait_for_referral(3, PATIENCE).await.expect("some have arrived");
        let began = Instant::now();
        serving.signal("TERM");
        let (status, log) = end(serving).await;
        (status, log, began.elapsed())
    };
    let ((), (status, log, took)) = tokio::join!(sends, stop);

    assert!(status.success(), "{log}");
    assert!(took < Duration::from_secs(6), "it took {took:?}");
    assert!(!log.contains("ERROR"), "{log}");
    let answered = world.told().iter().filter(|it| it.referral.is_some()).count();
    assert!((3..39).contains(&answered), "the stop came in the middle, after {answered}");
    comes_to_rest(&world, answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_request_to_stop_ends_it_at_once() {
    let world = World::start(1, "").await;
    let mut serving = world.serve();
    let mut slow = TcpStream::connect(world.public_url.trim_start_matches("http://")).await.unwrap();
    slow.write_all(b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\ngrant")
        .await
        .unwrap();
    assert_eq!(world.partners[0].get("Task").await.unwrap().status, 200);

    let began = Instant::now();
    serving.signal("TERM");
    serving.wait_for("stopping; what runs may end");
    serving.signal("TERM");
    let (status, log) = end(serving).await;

    assert_eq!(status.code(), Some(1), "{log}");
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_gateway_on_the_same_ledger_does_not_start_and_harms_nobody() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    let second = tempfile::tempdir().unwrap();
    fs::create_dir(second.path().join("partners")).unwrap();
    for file in ["gateway.toml", "partners/lakeside.toml"] {
        let text = fs::read_to_string(world.folder().join(file)).unwrap();
        let elsewhere = text.lines().map(|it| match it.split_once(" = ") {
            Some((key @ ("listen" | "operator_listen"), _)) => format!("{key} = \"127.0.0.1:0\"\n"),
            _ => format!("{it}\n"),
        });
        fs::write(second.path().join(file), elsewhere.collect::<String>()).unwrap();
    }

    let began = Instant::now();
    let (status, log) = end(Serving::spawn(second.path(), &[])).await;

    assert!(!status.success());
    assert!(log.contains("in use by another gateway"), "{log}");
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
    world.send_until_taken(0, 2).await;
    serving.terminate();
    comes_to_rest(&world, 2).await;
}

/// The attempt's time runs out while the process stands still; what it finds then is settled too late or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_was_paused_past_its_lease_has_one_effect() {
    let world = World::start(1, "lease_s = 3\n").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    let referral = world.clinic.wait_for_referral(1, PATIENCE).await.unwrap();
    world.wait_until_settled(PATIENCE).await;
    let lakeside = world.partners[0].server();
    lakeside.faults().push(Fault::new(Misbehaviour::Slowly(Duration::from_millis(500))).on("POST", ""));

    world.clinic.accept(&referral);
    world.clinic_calls().await;
    assert!(lakeside.wait_for_requests(|it| it.iter().any(|it| it.method == "POST"), PATIENCE).await);
    serving.signal("STOP");
    tokio::time::sleep(Duration::from_secs(4)).await;
    serving.signal("CONT");
    world.wait_until_settled(PATIENCE).await;
    world.clinic.complete(&referral);
    world.clinic_calls().await;
    let done =
        lakeside.wait_until(|it| it.all("Task").iter().any(|it| it["status"] == "completed"), PATIENCE);
    assert!(done.await);
    serving.terminate();

    comes_to_rest(&world, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_cut_off_is_made_up_for() {
    let seed = Random::seed_from("FAULT_SEED", 54);
    println!("FAULT_SEED={seed}");
    let mut random = Random::from_seed(seed);
    for _ in 0..6 {
        let world = World::start(1, "").await;
        for _ in 0..4 {
            let starting = Serving::spawn(world.folder(), &[]);
            tokio::time::sleep(random.millis(90)).await;
            starting.kill();
            let key = fs::metadata(world.folder().join("gateway.key"));
            assert!(
                key.is_err() || key.is_ok_and(|it| it.len() == 32),
                "half a key would be refused for ever"
            );
        }
        let serving = world.serve();
        world.send_until_taken(0, 1).await;
        serving.terminate();
        comes_to_rest(&world, 1).await;
    }
}

/// The kill came between the making of the key's draft and its taking the key's place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_was_cut_off_within_the_key_is_made_up_for() {
    let world = World::start(1, "").await;
    fs::write(world.folder().join("gateway.key.0123456789abcdef.new"), "half a key").unwrap();

    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    serving.terminate();

    assert_eq!(fs::metadata(world.folder().join("gateway.key")).unwrap().len(), 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_of_a_newer_gateway_is_refused_in_words_and_left_as_it_is() {
    let world = World::start(1, "").await;
    world.serve().terminate();
    let ledger = Connection::open(world.ledger_file()).unwrap();
    ledger.execute_batch("PRAGMA user_version = 999").unwrap();
    drop(ledger);

    let (status, log) = end(Serving::spawn(world.folder(), &[])).await;

    assert!(!status.success());
    assert!(log.contains("made by a newer gateway"), "{log}");
    assert_eq!(world.count("SELECT user_version FROM pragma_user_version"), 999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_leaves_no_core_file_in_which_patient_data_could_be() {
    let world = World::start(1, "").await;
    let serving = world.serve();

    let limits = fs::read_to_string(format!("/proc/{}/limits", serving.id())).unwrap();

    let core = limits.lines().find(|it| it.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}
