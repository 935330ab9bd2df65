//! The process is killed at each point of a referral's and an update's way (reference: delivery B6, F1 to F9).

use std::fs;
use std::time::Duration;

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::checker::{self, assert_no_patient_in};
use super::proxy::{End, Harm, Proxy, Towards, origin};
use super::random::Random;
use super::world::{PATIENCE, World};
use crate::process::Serving;

/// A world whose gateway stops where a test wants it.
pub(super) struct Stage {
    pub(super) world: World,
    points: tempfile::TempDir,
}

impl Stage {
    pub(super) async fn set() -> Self {
        Self { world: World::start(1, "").await, points: tempfile::tempdir().unwrap() }
    }

    pub(super) fn serve(&self) -> Serving {
        self.world.serve_with(&[("REFERRAL_GATEWAY_CRASH_POINTS", self.points.path())])
    }

    pub(super) fn arm(&self, point: &str) {
        fs::write(self.points.path().join(point), "").unwrap();
    }

    /// Waits until the gateway stands at the point, and kills it there.
    pub(super) async fn kill_at(&self, mut serving: Serving, point: &str) -> String {
        let reached = format!("crash point {point}");
        // Waiting for the process must not hold up the tasks of this thread.
        let log = tokio::task::spawn_blocking(move || {
            serving.wait_for(&reached);
            serving.kill()
        });
        let log = log.await.unwrap();
        fs::remove_file(self.points.path().join(point)).unwrap();
        log
    }

    pub(super) async fn referral_at_clinic(&self) -> ClinicReferral {
        self.world.clinic.wait_for_referral(1, PATIENCE).await.expect("the referral is at the clinic")
    }

    /// After the crash: everything comes to rest by itself, and every invariant holds.
    pub(super) async fn recovers(&self, log: &str) {
        let serving = self.world.serve();
        self.world.send_until_taken(0, 1).await;
        self.referral_at_clinic().await;
        self.world.wait_until_settled(PATIENCE).await;
        let (status, last) = serving.terminate();

        checker::check(&self.world).await.assert_none();
        assert!(status.success());
        assert_no_patient_in(&format!("{log}{last}"), &self.world);
    }

    /// How often the clinic was asked to write the order, and how often we looked for it.
    fn asked_of_clinic(&self) -> (usize, usize) {
        let requests = self.world.clinic.server().requests();
        let looks = |path: &str| path.starts_with("/fhir/ServiceRequest?identifier=");
        (
            requests.iter().filter(|it| it.method == "POST").count(),
            requests.iter().filter(|it| looks(&it.path_and_query)).count(),
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_before_the_body_is_complete_leaves_nothing_behind() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    let token = stage.world.partners[0].client().request_token().await.unwrap().body["access_token"].take();
    let body = stage.world.referral(0, 1).to_string();
    let mut sender = TcpStream::connect(stage.world.public_url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /fhir HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
         Content-Type: application/fhir+json\r\n\r\n",
        token.as_str().unwrap(),
        body.len()
    );
    sender.write_all(head.as_bytes()).await.unwrap();
    sender.write_all(&body.as_bytes()[..body.len() * 6 / 10]).await.unwrap();

    let log = serving.kill();

    for table in ["payload", "referral", "submission_key", "delivery"] {
        assert_eq!(stage.world.count(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
    stage.recovers(&log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_before_the_commit_is_no_answer_and_no_referral() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    stage.arm("before-commit");

    let (told, log) = tokio::join!(stage.world.send(0, 1), stage.kill_at(serving, "before-commit"));

    assert!(told.is_none());
    assert_eq!(stage.world.count("SELECT COUNT(*) FROM referral"), 0);
    stage.recovers(&log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_commit_and_answer_is_answered_when_the_same_comes_again() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    stage.arm("after-commit");

    let (told, log) = tokio::join!(stage.world.send(0, 1), stage.kill_at(serving, "after-commit"));

    assert!(told.is_none());
    assert_eq!(stage.world.count("SELECT COUNT(*) FROM referral"), 1);
    stage.recovers(&log).await;
    assert!(stage.world.told().last().unwrap().repeated);
    assert_eq!(stage.asked_of_clinic().0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_answer_and_claim_loses_nothing() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    stage.arm("before-claim");

    stage.world.send_until_taken(0, 1).await;
    let log = stage.kill_at(serving, "before-claim").await;

    stage.recovers(&log).await;
    assert_eq!(stage.asked_of_clinic(), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_claim_and_send_costs_a_look_before_and_one_after() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    stage.arm("before-send");

    stage.world.send_until_taken(0, 1).await;
    let log = stage.kill_at(serving, "before-send").await;

    assert_eq!(stage.asked_of_clinic(), (0, 0));
    stage.recovers(&log).await;
    assert_eq!(stage.asked_of_clinic(), (1, 2), "whether it is there, and whether there is one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_send_has_one_effect() {
    let stage = Stage::set().await;
    let clinic = stage.world.clinic.server().base_url().to_owned();
    let proxy = Proxy::before(&clinic).await;
    stage.world.rewrite(origin(&clinic), &proxy.origin());
    stage.world.rewrite("poll_interval_s = 1", "poll_interval_s = 60");
    let serving = stage.serve();
    let looked = stage.world.clinic.server().wait_for_requests(|it| it.len() > 8, PATIENCE).await;
    assert!(looked, "the first look at the clinic is over");

    proxy.harm(Towards::Server, Harm { after: Some((3000, End::Silence)), ..Harm::default() });
    stage.world.send_until_taken(0, 1).await;
    proxy.wait_for_an_end(PATIENCE).await;
    let log = serving.kill();

    assert!(stage.world.clinic.referrals().is_empty());
    stage.recovers(&log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_the_answer_is_awaited_adopts_the_effect() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    let clinic = stage.world.clinic.server();
    clinic.faults().push(Fault::new(Misbehaviour::ApplyThenHang).on("POST", ""));

    stage.world.send_until_taken(0, 1).await;
    stage.referral_at_clinic().await;
    let log = serving.kill();

    stage.recovers(&log).await;
    assert_eq!(stage.asked_of_clinic(), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_the_clinics_answer_and_its_record_adopts_the_effect() {
    let stage = Stage::set().await;
    let serving = stage.serve();
    stage.arm("before-outcome");

    stage.world.send_until_taken(0, 1).await;
    let log = stage.kill_at(serving, "before-outcome").await;

    stage.referral_at_clinic().await;
    stage.recovers(&log).await;
    assert_eq!(stage.asked_of_clinic(), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_survives_a_kill_before_it_is_sent_and_one_before_its_outcome_is_recorded() {
    for point in ["before-send", "before-outcome"] {
        let stage = Stage::set().await;
        let serving = stage.serve();
        stage.world.send_until_taken(0, 1).await;
        let referral = stage.referral_at_clinic().await;
        stage.world.wait_until_settled(PATIENCE).await;
        stage.arm(point);

        stage.world.clinic.accept(&referral);
        stage.world.clinic_calls().await;
        let log = stage.kill_at(serving, point).await;
        stage.recovers(&log).await;

        let tasks = stage.world.partners[0].server().history("Task");
        assert_eq!(tasks.iter().filter(|it| it["status"] == "accepted").count(), 1, "after {point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_goes_as_a_message_survives_the_same_kills() {
    for point in ["before-send", "before-outcome"] {
        let stage = Stage::set().await;
        stage.world.rewrite("mode = \"rest\"", "mode = \"message\"");
        stage.world.rewrite("[inbound]", "dialect = \"cow\"\n\n[inbound]");
        let serving = stage.serve();
        stage.world.send_until_taken(0, 1).await;
        let referral = stage.referral_at_clinic().await;
        stage.world.wait_until_settled(PATIENCE).await;
        stage.arm(point);

        stage.world.clinic.accept(&referral);
        stage.world.clinic_calls().await;
        let log = stage.kill_at(serving, point).await;
        stage.recovers(&log).await;

        let server = stage.world.partners[0].server();
        let accepted = server.history("Task").into_iter().filter(|it| it["status"] == "accepted");
        assert_eq!(accepted.count(), 1, "after {point}");
        let sent: Vec<_> = server.requests().into_iter().filter(|it| it.method == "POST").collect();
        let repeats = sent.iter().filter(|it| it.body == sent[0].body).count();
        assert_eq!(repeats, if point == "before-send" { 1 } else { 2 }, "after {point}");
    }
}

const ROUNDS: u64 = 20;

/// The moment is random, within the few milliseconds in which a referral is committed (F3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_around_the_commit_lose_nothing_that_was_answered() {
    let seed = Random::seed_from("FAULT_SEED", 3);
    println!("FAULT_SEED={seed}");
    let mut random = Random::from_seed(seed);
    let world = World::start(1, "").await;

    for round in 1..=ROUNDS {
        let serving = world.serve();
        // A token first, so that the referral is what meets the kill.
        assert_eq!(world.partners[0].get("Task").await.unwrap().status, 200);
        let kill = async {
            tokio::time::sleep(Duration::from_micros(random.below(30_000))).await;
            serving.kill();
        };
        tokio::join!(world.send(0, round), kill);
    }
    let serving = world.serve();
    for seed in 1..=ROUNDS {
        world.send_until_taken(0, seed).await;
    }
    world.wait_until_settled(PATIENCE).await;
    serving.terminate();

    checker::check(&world).await.assert_none();
}
