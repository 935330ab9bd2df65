//! The gateway is killed at random moments, again and again, while three partners send, the clinic's staff
//! work and every server misbehaves: nothing is lost, nothing is doubled, all is in order (F3, F13).
//!
//! `cargo soak` is the long run; with `GATEWAY_PROGRAM` it kills another build of the program, such as a release.
//! `SOAK_KILLS`, `SOAK_SECONDS` and `SOAK_SEED` set its bounds and its dice; the dice decide what happens in which
//! order, the machine how long each thing takes. `SOAK_STORE=postgres` puts the ledger into PostgreSQL, with two
//! gateways on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, FhirServer, Misbehaviour};
use referral_gateway::sandbox::partner::SimulatedPartner;
use serde_json::Value;
use tokio::task::JoinSet;

use super::checker;
use super::ledger::Row;
use super::random::{Random, number_from};
use super::world::{PARTNERS, World};
use crate::process::{Serving, UP};
use crate::support::PostgresServer;

/// How far to go.
struct Bounds {
    kills: u64,
    time: Duration,
    seed: u64,
    /// How long the work that is left at the end may take.
    patience: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_twenty_times_loses_nothing_and_doubles_nothing() {
    let seed = Random::seed_from("FAULT_SEED", 20_260_310);
    println!("FAULT_SEED={seed}");
    let bounds = Bounds { kills: 20, time: Duration::from_mins(1), seed, patience: Duration::from_secs(90) };
    soak(World::start(PARTNERS.len(), "").await, bounds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_database_that_are_killed_in_turn_lose_nothing_and_double_nothing() {
    let Some(server) = PostgresServer::shared() else { return };
    let seed = Random::seed_from("FAULT_SEED", 20_260_311);
    println!("FAULT_SEED={seed}");
    let bounds = Bounds { kills: 12, time: Duration::from_mins(1), seed, patience: Duration::from_secs(90) };
    soak(on_postgres(server).await, bounds).await;
}

/// A short lease: what a killed gateway had begun may be left to the other one.
async fn on_postgres(server: &PostgresServer) -> World {
    World::start_on(&server.database().await, 2, PARTNERS.len(), "lease_s = 5\n").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs for minutes: cargo soak"]
async fn the_soak() {
    let bounds = Bounds {
        kills: number_from("SOAK_KILLS", 500),
        time: Duration::from_secs(number_from("SOAK_SECONDS", 900)),
        seed: Random::seed_from("SOAK_SEED", 1),
        // A delivery that failed five times waits some six minutes.
        patience: Duration::from_mins(12),
    };
    let world = match std::env::var("SOAK_STORE").as_deref() {
        Ok("postgres") => on_postgres(PostgresServer::shared().expect("PostgreSQL is installed")).await,
        _ => World::start(PARTNERS.len(), "").await,
    };
    soak(world, bounds).await;
}

#[expect(clippy::print_stdout, reason = "its figures are what the soak is for")]
async fn soak(world: World, bounds: Bounds) {
    let began = Instant::now();
    let world = Arc::new(world);
    let mut random = Random::from_seed(bounds.seed);
    let crowd = Crowd::start(&world, &mut random, bounds.kills);

    let mut gateways = Gateways::start(&world);
    let mut kills = 0;
    while kills < bounds.kills && began.elapsed() < bounds.time {
        gateways.kill_one(&world, &mut random).await;
        kills += 1;
    }
    let rest = Instant::now();
    crowd.finish(&world, bounds.patience).await;
    let rest = rest.elapsed();
    let (memory, files) = gateways.peaks();
    let (ended_well, log) = gateways.terminate();

    let findings = checker::check(&world).await;
    println!(
        "SOAK_SEED={} kills={kills} referrals={} deliveries={} lost={} doubled={} out_of_order={} other={} \
         seconds={} of them to come to rest={} memory_mib={} files={files}",
        bounds.seed,
        findings.referrals,
        findings.deliveries,
        findings.lost.len(),
        findings.doubled.len(),
        findings.out_of_order.len(),
        findings.wrong.len(),
        began.elapsed().as_secs(),
        rest.as_secs(),
        memory / 1024,
    );
    findings.assert_none();
    assert_eq!(findings.pending, 0, "what was owed at the end");
    assert!(memory < 256 * 1024 && files < 512, "{memory} KiB, {files} files");
    assert!(ended_well, "SIGTERM ended one badly");
    let errors: Vec<&str> = log.lines().filter(|it| it.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    checker::assert_no_patient_in(&log, &world);
}

/// The gateways of a world, one of which is killed at a time.
struct Gateways {
    running: Vec<(usize, Serving)>,
    log: String,
}

impl Gateways {
    fn start(world: &World) -> Self {
        let spawn = |place| (place, Serving::spawn(world.folder_of(place), &[]));
        Self { running: (0..world.gateways()).map(spawn).collect(), log: String::new() }
    }

    /// The kill comes at a random moment of the work; sometimes before the gateway is up.
    async fn kill_one(&mut self, world: &World, random: &mut Random) {
        let chosen = usize::try_from(random.below(self.running.len() as u64)).unwrap();
        let (place, mut serving) = self.running.swap_remove(chosen);
        let (waits, life) = (random.percent(85), random.millis(800));
        let killed = tokio::task::spawn_blocking(move || {
            if waits {
                serving.wait_for(UP);
                std::thread::sleep(life);
            } else {
                std::thread::sleep(life / 5);
            }
            serving.kill()
        });
        self.log += &killed.await.unwrap();
        self.running.push((place, Serving::spawn(world.folder_of(place), &[])));
    }

    /// The most memory of one, in KiB, and the most open files.
    fn peaks(&self) -> (u64, usize) {
        let memory = self.running.iter().map(|(_, it)| it.peak_memory()).max();
        let files = self.running.iter().map(|(_, it)| it.open_files()).max();
        (memory.unwrap_or_default(), files.unwrap_or_default())
    }

    /// Whether all ended well, and what all of them ever logged.
    fn terminate(mut self) -> (bool, String) {
        let mut ended_well = true;
        for (_, serving) in self.running.drain(..) {
            let (status, log) = serving.terminate();
            ended_well &= status.success();
            self.log += &log;
        }
        (ended_well, self.log)
    }
}

/// Everybody who goes on whether the gateway lives or not.
struct Crowd {
    tasks: JoinSet<()>,
    closing: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

impl Crowd {
    fn start(world: &Arc<World>, random: &mut Random, most: u64) -> Self {
        let (closing, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for sender in 0..2 * PARTNERS.len() {
            let sending = Sending { closing: Arc::clone(&closing), sent: Arc::clone(&sent), most };
            tasks.spawn(sending.run(Arc::clone(world), sender % PARTNERS.len(), random.branch()));
        }
        tasks.spawn(staff(Arc::clone(world), Arc::clone(&closing), random.branch()));
        tasks.spawn(bad_luck(Arc::clone(world), Arc::clone(&closing), random.branch()));
        Self { tasks, closing, sent }
    }

    /// Nothing new begins; what has begun comes to its end.
    async fn finish(mut self, world: &World, patience: Duration) {
        self.closing.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let count = self.sent.load(Ordering::Relaxed);
        let servers = world.partners.iter().map(SimulatedPartner::server).chain([world.clinic.server()]);
        servers.for_each(|it| it.faults().clear());
        let at_clinic = usize::try_from(count).unwrap();
        assert!(world.clinic.wait_for_referral(at_clinic, patience).await.is_some(), "all are at the clinic");
        world.clinic.referrals().iter().for_each(|it| drop(world.clinic.complete(it)));
        world.clinic_calls().await;
        let owed =
            format!("SELECT COUNT(*) - {count} FROM delivery WHERE resource_type IS NULL AND state = 5");
        world.wait_for_count(&owed, 0, patience).await;
        let end = Instant::now() + patience;
        while completed(world) < count {
            let done = completed(world);
            assert!(
                Instant::now() < end,
                "{done} of {count} are completed; not at their end: {:#?}",
                open(world)
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // Two more looks at the clinic: what came last, beside the Tasks, is noticed by then.
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.wait_until_settled(patience).await;
    }
}

/// What is not at its end, and why.
fn open(world: &World) -> Vec<Row> {
    world.ledger().rows(
        "SELECT d.delivery_id, d.resource_type, d.resource_id, d.resource_version, d.state, d.reason, d.attempts,
           d.effect_unknown, d.due_ms, l.due_ms, l.lease_until_ms, e.state
         FROM delivery d JOIN lane l ON l.lane_id = d.lane_id JOIN endpoint e ON e.endpoint = d.endpoint
         WHERE d.state NOT IN (5, 8) ORDER BY d.delivery_id",
    )
}

fn completed(world: &World) -> u64 {
    let tasks = world.partners.iter().flat_map(|it| it.server().all("Task"));
    tasks.filter(|it| it["status"] == "completed").count() as u64
}

struct Sending {
    closing: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    most: u64,
}

impl Sending {
    /// Sends one referral after the other, each until it is taken, and now and then one of them again.
    async fn run(self, world: Arc<World>, partner: usize, mut random: Random) {
        while !self.closing.load(Ordering::Relaxed) && self.sent.load(Ordering::Relaxed) < self.most {
            let seed = 1 + self.sent.fetch_add(1, Ordering::Relaxed);
            while !world.send(partner, seed).await.is_some_and(|it| it.status.is_success()) {
                tokio::time::sleep(random.millis(60)).await;
            }
            if random.percent(10) {
                world.send(partner, seed).await;
            }
            tokio::time::sleep(random.millis(1500)).await;
        }
    }
}

/// The staff take a step on a random referral, and the clinic's server sometimes says so.
async fn staff(world: Arc<World>, closing: Arc<AtomicBool>, mut random: Random) {
    while !closing.load(Ordering::Relaxed) {
        let tasks = world.clinic.server().all("Task");
        let open: Vec<&Value> = tasks.iter().filter(|it| it["status"] != "completed").collect();
        if !open.is_empty() {
            let place = usize::try_from(random.below(open.len() as u64)).unwrap();
            step(&world, open[place], &mut random);
        }
        if random.percent(20) {
            world.clinic_calls().await;
        }
        tokio::time::sleep(random.millis(150)).await;
    }
}

fn step(world: &World, task: &Value, random: &mut Random) {
    let reference = |it: &Value| it["reference"].as_str().unwrap().to_owned();
    let referral = ClinicReferral {
        service_request: reference(&task["focus"]),
        task: format!("Task/{}", task["id"].as_str().unwrap()),
        patient: reference(&task["for"]),
    };
    let clinic = &world.clinic;
    match task["status"].as_str().unwrap() {
        "requested" => drop(clinic.receive(&referral)),
        "received" => drop(clinic.accept(&referral)),
        "accepted" => drop(clinic.schedule(&referral)),
        _ => match random.below(4) {
            0 => drop(clinic.send_message(&referral, "Please bring the medication list.")),
            1 => drop(clinic.report_results(&referral)),
            _ => drop(clinic.complete(&referral)),
        },
    }
}

/// Servers misbehave now and then, each in its own time.
async fn bad_luck(world: Arc<World>, closing: Arc<AtomicBool>, mut random: Random) {
    let servers: Vec<FhirServer> =
        world.partners.iter().map(SimulatedPartner::server).chain([world.clinic.server()]).cloned().collect();
    while !closing.load(Ordering::Relaxed) {
        let server = &servers[usize::try_from(random.below(servers.len() as u64)).unwrap()];
        if server.faults().pending() < 2 {
            server.faults().push(Fault::new(misbehaviour(&mut random)));
        }
        tokio::time::sleep(random.millis(600)).await;
    }
}

fn misbehaviour(random: &mut Random) -> Misbehaviour {
    match random.below(10) {
        0 | 1 => Misbehaviour::ApplyThenDrop,
        2 => Misbehaviour::ApplyThenStatus(503),
        3 => Misbehaviour::DropBeforeApply,
        4 => Misbehaviour::Status { status: 503, retry_after: None, body: None },
        5 => Misbehaviour::Status { status: 429, retry_after: Some("1".to_owned()), body: None },
        6 => Misbehaviour::ApplyThenHang,
        7 => Misbehaviour::ApplyLate { after: random.millis(4000), conditions_checked_at_arrival: false },
        _ => Misbehaviour::Slowly(random.millis(700)),
    }
}
