//! A clinic, its partners, and gateways that are processes of their own and can be killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use referral_gateway::fhir::client::http_client;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::clinic::SimulatedClinic;
use referral_gateway::sandbox::fhir_server::{FhirServer, FhirServerOptions};
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient, Reply};
use referral_gateway::sandbox::partner::SimulatedPartner;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use super::balancer::Balancer;
use super::ledger::Ledger;
use crate::process::{Serving, UP, free_port};
use crate::support::answered_task;

/// The partners, as many of them as a world has.
pub const PARTNERS: [&str; 3] = ["lakeside", "hillside", "riverside"];

/// How long anything may take that is to happen.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Everybody but the gateways, and the gateways' folders.
pub struct World {
    pub clinic: SimulatedClinic,
    pub partners: Vec<SimulatedPartner>,
    pub public_url: String,
    pub operator_url: String,
    /// How large the letter in each referral is at least.
    pub letter_bytes: usize,
    /// Each gateway's settings; the first one's has the key too, and the ledger where it is a file.
    folders: Vec<tempfile::TempDir>,
    ledger: Ledger,
    _balancer: Option<Balancer>,
    told: Mutex<Vec<Told>>,
}

/// Where the gateways of a world are to be.
struct Home {
    ledger: Ledger,
    /// The port that partners know.
    port: u16,
    /// Each one's folder and port.
    gateways: Vec<(tempfile::TempDir, u16)>,
    balancer: Option<Balancer>,
}

/// What a sender was told about one of its referrals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The place in [`PARTNERS`].
    pub partner: usize,
    /// The seed of the referral.
    pub seed: u64,
    /// The status; none: nothing came back.
    pub status: Option<u16>,
    /// The id of the coordination Task, which is the referral's.
    pub referral: Option<String>,
    /// Whether the answer says that the referral was known.
    pub repeated: bool,
}

impl World {
    /// With this many partners, and further lines for the section `[delivery]`: one gateway, on SQLite.
    pub async fn start(partners: usize, delivery: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::Sqlite(folder.path().join("gateway.db"));
        let port = unused_port();
        let home = Home { ledger, port, gateways: vec![(folder, port)], balancer: None };
        Self::around(home, partners, delivery).await
    }

    /// The same on this PostgreSQL database, with so many equal gateways behind one address.
    pub async fn start_on(database: &str, gateways: usize, partners: usize, delivery: &str) -> Self {
        let gateways: Vec<_> = (0..gateways).map(|_| (tempfile::tempdir().unwrap(), unused_port())).collect();
        let key = gateways[0].0.path().join("gateway.key");
        fs::write(&key, [7; 32]).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let port = unused_port();
        let balancer = Balancer::start(port, gateways.iter().map(|(_, port)| *port).collect()).await;
        let ledger = Ledger::Postgres(database.to_owned());
        Self::around(Home { ledger, port, gateways, balancer: Some(balancer) }, partners, delivery).await
    }

    async fn around(home: Home, partners: usize, delivery: &str) -> Self {
        let Home { ledger, port, gateways: folders, balancer } = home;
        let clinic = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let public_url = format!("http://127.0.0.1:{port}");
        let mut simulated = Vec::new();
        for id in &PARTNERS[..partners] {
            let server = FhirServer::start(FhirServerOptions::default()).await.unwrap();
            simulated.push(SimulatedPartner::new(server, GatewayClient::new(access(&public_url, id))));
        }
        let operators: Vec<u16> = folders.iter().map(|_| unused_port()).collect();
        let data = folders[0].0.path().display().to_string();
        for (place, (folder, listen)) in folders.iter().enumerate() {
            let gateway = GATEWAY
                .replace("{listen}", &listen.to_string())
                .replace("{public}", &public_url)
                .replace("{operator}", &operators[place].to_string())
                .replace("{store}", &store_settings(&ledger, place))
                .replace("{data}", &data)
                .replace("{clinic}", clinic.base_url());
            fs::write(folder.path().join("gateway.toml"), gateway + delivery).unwrap();
            fs::create_dir(folder.path().join("partners")).unwrap();
            for (id, partner) in PARTNERS.iter().zip(&simulated) {
                let settings = PARTNER.replace("{id}", id).replace("{base}", partner.server().base_url());
                fs::write(folder.path().join(format!("partners/{id}.toml")), settings).unwrap();
            }
        }
        Self {
            clinic: SimulatedClinic::new(clinic),
            partners: simulated,
            public_url,
            operator_url: format!("http://127.0.0.1:{}", operators[0]),
            letter_bytes: 0,
            folders: folders.into_iter().map(|(folder, _)| folder).collect(),
            ledger,
            _balancer: balancer,
            told: Mutex::default(),
        }
    }

    /// The first gateway's folder: settings, key, and the ledger where it is a file.
    pub fn folder(&self) -> &Path {
        self.folder_of(0)
    }

    /// The folder of one of the gateways, from 0.
    pub fn folder_of(&self, gateway: usize) -> &Path {
        self.folders[gateway].path()
    }

    /// How many gateways there are.
    pub fn gateways(&self) -> usize {
        self.folders.len()
    }

    /// The ledger, to be read beside the gateways.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger's file.
    pub fn ledger_file(&self) -> PathBuf {
        self.folder().join("gateway.db")
    }

    /// The gateway, up and running.
    pub fn serve(&self) -> Serving {
        Serving::start(self.folder())
    }

    /// The gateway, up and running, with these further environment variables.
    pub fn serve_with(&self, environment: &[(&str, &Path)]) -> Serving {
        let mut serving = Serving::spawn(self.folder(), environment);
        serving.wait_for(UP);
        serving
    }

    /// Replaces a text in every settings file, such as the address of a server by that of a proxy before it.
    pub fn rewrite(&self, from: &str, to: &str) {
        for folder in self.folders.iter().map(tempfile::TempDir::path) {
            let partners = fs::read_dir(folder.join("partners")).unwrap().map(|it| it.unwrap().path());
            for file in partners.chain([folder.join("gateway.toml")]) {
                let text = fs::read_to_string(&file).unwrap();
                fs::write(&file, text.replace(from, to)).unwrap();
            }
        }
    }

    /// The referral of a seed, as this partner sends it.
    pub fn referral(&self, partner: usize, seed: u64) -> Value {
        let (partner, letter_bytes) = (PARTNERS[partner].to_owned(), self.letter_bytes);
        people::referral(seed, &ReferralOptions { partner, letter_bytes, ..ReferralOptions::default() })
    }

    /// Sends the referral of a seed, and keeps what the sender was told.
    pub async fn send(&self, partner: usize, seed: u64) -> Option<Reply> {
        let reply = self.partners[partner].send_bundle(&self.referral(partner, seed)).await.ok();
        let taken = reply.as_ref().filter(|it| it.status.is_success());
        self.told.lock().unwrap().push(Told {
            partner,
            seed,
            status: reply.as_ref().map(|it| it.status.as_u16()),
            referral: taken.map(|it| answered_task(it)["id"].as_str().unwrap().to_owned()),
            repeated: taken.is_some_and(|it| it.headers.contains_key("idempotency-replayed")),
        });
        reply
    }

    /// Sends until it is taken.
    pub async fn send_until_taken(&self, partner: usize, seed: u64) {
        let end = Instant::now() + PATIENCE;
        while !self.send(partner, seed).await.is_some_and(|it| it.status.is_success()) {
            assert!(Instant::now() < end, "referral {seed} is not taken");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Everything that senders were told so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// The clinic's server says that something has changed.
    pub async fn clinic_calls(&self) {
        let address = format!("{}/hooks/clinic", self.public_url);
        // A gateway that is just dead looks by itself when it is up again.
        let _ = http_client().post(address).bearer_auth("hook-token").send().await;
    }

    /// One number out of the ledger, read beside the gateway.
    pub fn count(&self, query: &str) -> i64 {
        self.ledger.number(query)
    }

    /// Waits until a number out of the ledger is this one.
    pub async fn wait_for_count(&self, query: &str, expected: i64, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            let found = self.count(query);
            if found == expected {
                return;
            }
            assert!(Instant::now() < end, "{query}: {found} and not {expected}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nothing that was noticed is owed any more.
    pub async fn wait_until_settled(&self, patience: Duration) {
        self.wait_for_count("SELECT COUNT(*) FROM delivery WHERE state <= 4", 0, patience).await;
    }
}

fn access(public_url: &str, id: &str) -> GatewayAccess {
    GatewayAccess {
        public_url: public_url.to_owned(),
        client_id: id.to_owned(),
        client_secret: Sensitive::new("a-secret".to_owned()),
        scope: "system/*.cruds".to_owned(),
    }
}

fn store_settings(ledger: &Ledger, gateway: usize) -> String {
    match ledger {
        Ledger::Sqlite(file) => format!("url = \"sqlite:{}\"", file.display()),
        Ledger::Postgres(url) => format!("url = \"{url}\"\ninstance = \"gateway-{gateway}\""),
    }
}

/// A port that no other world of this run has.
fn unused_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    free_port(24_000 + NEXT.fetch_add(10, Ordering::Relaxed))
}

const GATEWAY: &str = r#"
[server]
listen = "127.0.0.1:{listen}"
public_url = "{public}"
operator_listen = "127.0.0.1:{operator}"
allow_private_networks = true
shutdown_grace_s = 5
body_timeout_s = 5

[store]
{store}
encryption_key_file = "{data}/gateway.key"

[clinic]
base_url = "{clinic}"
hook_token = "hook-token"
poll_interval_s = 1
timeout_s = 2

[limits]
requests_per_second = 1000
burst = 1000
token_requests_per_second = 100
token_burst = 100
free_disk_bytes = 0
free_disk_percent = 0
ballast_bytes = 0

[delivery]
quiet_period_s = 1
first_retry_s = 1
decide_again_s = 2
"#;

const PARTNER: &str = r#"
id = "{id}"
name = "Family Medicine at {id}"
organization = { system = "http://hl7.org/fhir/sid/us-npi", value = "1234567893" }

[inbound]
client_id = "{id}"
client_secret = "a-secret"

[outbound]
mode = "rest"
base_url = "{base}"
share = ["referral-status", "scheduling", "communication", "results"]
timeout_s = 2
"#;
