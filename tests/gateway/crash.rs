//! The real process is killed again and again: nothing that was answered is lost, nothing is done twice.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use referral_gateway::fhir::client::http_client;
use referral_gateway::fhir::json;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::clinic::{ClinicReferral, SimulatedClinic};
use referral_gateway::sandbox::fhir_server::{FhirServer, FhirServerOptions};
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient};
use referral_gateway::sandbox::partner::SimulatedPartner;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::process::{Serving, free_port, lines, run};

const SEED: u64 = 20_260_310;
const KILLS: u64 = 10;
const REFERRALS_A_ROUND: u64 = 2;
const LAST: u64 = KILLS * REFERRALS_A_ROUND;
const PATIENCE: Duration = Duration::from_secs(15);

struct World {
    folder: tempfile::TempDir,
    clinic: SimulatedClinic,
    lakeside: SimulatedPartner,
    public_url: String,
    answered: HashSet<u64>,
    random: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_ten_times_loses_nothing_and_doubles_nothing() {
    let mut world = World::start().await;

    for round in 0..KILLS {
        let serving = Serving::start(world.folder.path());
        let life = Duration::from_millis(20 + world.next_random() % 1200);
        // The kill comes at a random moment of the work, or after it.
        let _ = tokio::time::timeout(life, world.work(round)).await;
        serving.kill();
    }
    let serving = Serving::start(world.folder.path());
    world.finish().await;
    let log = serving.kill();

    world.assert_clinic_has_each_referral_once();
    world.assert_lakeside_has_each_update_once().await;
    world.assert_every_disclosure_is_on_record().await;
    assert!(!log.contains("ERROR"), "{log}");
}

impl World {
    async fn start() -> Self {
        let clinic = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let server = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (listen, operator) = (free_port(20_000), free_port(22_000));
        let public_url = format!("http://127.0.0.1:{listen}");
        let gateway = GATEWAY
            .replace("{listen}", &listen.to_string())
            .replace("{operator}", &operator.to_string())
            .replace("{data}", &folder.path().display().to_string())
            .replace("{clinic}", clinic.base_url());
        fs::create_dir(folder.path().join("partners")).unwrap();
        fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
        let lakeside = LAKESIDE.replace("{base}", server.base_url());
        fs::write(folder.path().join("partners/lakeside.toml"), lakeside).unwrap();
        let client = GatewayClient::new(GatewayAccess {
            public_url: public_url.clone(),
            client_id: "lakeside".to_owned(),
            client_secret: Sensitive::new("a-secret".to_owned()),
            scope: "system/*.cruds".to_owned(),
        });
        let (clinic, lakeside) = (SimulatedClinic::new(clinic), SimulatedPartner::new(server, client));
        Self { folder, clinic, lakeside, public_url, answered: HashSet::new(), random: SEED }
    }

    /// New referrals, those that got no answer once more, and a step of the staff on each that is there.
    async fn work(&mut self, round: u64) {
        self.staff_moves_on();
        self.clinic_calls().await;
        self.send_up_to((round + 1) * REFERRALS_A_ROUND).await;
        self.staff_moves_on();
        self.clinic_calls().await;
        std::future::pending::<()>().await;
    }

    async fn send_up_to(&mut self, last: u64) {
        for seed in 1..=last {
            if !self.answered.contains(&seed) {
                let bundle = people::referral(seed, &ReferralOptions::default());
                let reply = self.lakeside.send_bundle(&bundle).await;
                if reply.is_ok_and(|it| it.status == 200) {
                    self.answered.insert(seed);
                }
            }
        }
    }

    fn staff_moves_on(&self) {
        for referral in self.clinic.referrals() {
            match self.status_at_clinic(&referral).as_str() {
                "requested" => drop(self.clinic.receive(&referral)),
                "received" => drop(self.clinic.accept(&referral)),
                "accepted" => drop(self.clinic.schedule(&referral)),
                _ => {}
            }
        }
    }

    fn status_at_clinic(&self, referral: &ClinicReferral) -> String {
        let task = self.clinic.server().read("Task", referral.task.trim_start_matches("Task/")).unwrap();
        task["status"].as_str().unwrap().to_owned()
    }

    async fn clinic_calls(&self) {
        let address = format!("{}/hooks/clinic", self.public_url);
        // A gateway that is just dead looks by itself when it is up again.
        let _ = http_client().post(address).bearer_auth("hook-token").send().await;
    }

    async fn finish(&mut self) {
        self.send_up_to(LAST).await;
        assert_eq!(self.answered.len() as u64, LAST);
        let count = usize::try_from(LAST).unwrap();
        assert!(self.clinic.wait_for_referral(count, PATIENCE).await.is_some(), "all are at the clinic");
        self.clinic.referrals().iter().for_each(|it| drop(self.clinic.complete(it)));
        self.clinic_calls().await;
        let done = |tasks: Vec<&Value>| tasks.iter().filter(|it| it["status"] == "completed").count();
        let all = self.lakeside.server().wait_until(|it| done(it.all("Task")) >= count, PATIENCE).await;
        assert!(all, "every referral is completed at lakeside");
    }

    fn assert_clinic_has_each_referral_once(&self) {
        let count = usize::try_from(LAST).unwrap();
        for (resource_type, each) in [("ServiceRequest", 1), ("Patient", 1), ("Task", 1), ("Provenance", 1)] {
            let found = self.clinic.server().all(resource_type).len();
            assert_eq!(found, count * each, "{resource_type}");
        }
        let orders = self.clinic.server().all("ServiceRequest");
        let placers: HashSet<String> = orders.iter().map(|it| it["basedOn"].to_string()).collect();
        assert_eq!(placers.len(), count);
    }

    async fn assert_lakeside_has_each_update_once(&self) {
        let server = self.lakeside.server();
        let tasks = server.all("Task");
        let orders: HashSet<String> = tasks.iter().map(|it| it["focus"].to_string()).collect();
        assert_eq!((tasks.len() as u64, orders.len() as u64), (LAST, LAST));
        let appointments = server.all("Appointment");
        let orders: HashSet<String> = appointments.iter().map(|it| it["basedOn"].to_string()).collect();
        assert_eq!(
            (appointments.len(), orders.len()),
            (self.clinic.server().all("Appointment").len(), orders.len())
        );
        for task in tasks {
            let versions: u64 = task["meta"]["versionId"].as_str().unwrap().parse().unwrap();
            let mut effects = HashSet::new();
            for version in 1..=versions {
                let address =
                    format!("{}/Task/{}/_history/{version}", server.base_url(), task["id"].as_str().unwrap());
                let bytes = http_client().get(address).send().await.unwrap().bytes().await.unwrap();
                assert!(effects.insert(effect(&json::parse(&bytes).unwrap())), "an update was written twice");
            }
        }
    }

    /// A number that looks random and is the same in every run (xorshift).
    /// Whatever the kills cut off: nothing that went out is missing in the trail, and its links hold.
    async fn assert_every_disclosure_is_on_record(&self) {
        let verified =
            run(&["audit", "verify", "--json", "--config", self.folder.path().to_str().unwrap()]).await;
        let report = lines(&verified).remove(0);
        assert_eq!(report["whole"], true, "{report}");
        assert!(report["delivered"].as_u64().unwrap() >= LAST, "{report}");
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// The name of the delivery that wrote this.
fn effect(task: &Value) -> String {
    let values = task["identifier"].as_array().unwrap().iter().filter_map(|it| it["value"].as_str());
    values.filter(|it| it.starts_with("dlv-")).collect()
}

const GATEWAY: &str = r#"
[server]
listen = "127.0.0.1:{listen}"
public_url = "http://127.0.0.1:{listen}"
operator_listen = "127.0.0.1:{operator}"
allow_private_networks = true

[store]
url = "sqlite:{data}/gateway.db"
encryption_key_file = "{data}/gateway.key"

[clinic]
base_url = "{clinic}"
hook_token = "hook-token"
poll_interval_s = 1

[limits]
free_disk_bytes = 0
free_disk_percent = 0
ballast_bytes = 0

[delivery]
quiet_period_s = 1
first_retry_s = 1
"#;

const LAKESIDE: &str = r#"
id = "lakeside"
name = "Lakeside Family Medicine"
organization = { system = "http://hl7.org/fhir/sid/us-npi", value = "1234567893" }

[inbound]
client_id = "lakeside"
client_secret = "a-secret"

[outbound]
mode = "rest"
base_url = "{base}"
share = ["referral-status", "scheduling"]
"#;
