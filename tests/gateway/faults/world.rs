//! A clinic, its partners, and a gateway that is a process of its own and can be killed.

use std::fs;
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
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::process::{Serving, UP, free_port};
use crate::support::answered_task;

/// The partners, as many of them as a world has.
pub const PARTNERS: [&str; 3] = ["lakeside", "hillside", "riverside"];

/// How long anything may take that is to happen.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Everybody but the gateway, and the gateway's folder.
pub struct World {
    pub clinic: SimulatedClinic,
    pub partners: Vec<SimulatedPartner>,
    pub public_url: String,
    pub operator_url: String,
    /// How large the letter in each referral is at least.
    pub letter_bytes: usize,
    folder: tempfile::TempDir,
    told: Mutex<Vec<Told>>,
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
    /// With this many partners, and further lines for the section `[delivery]`.
    pub async fn start(partners: usize, delivery: &str) -> Self {
        let clinic = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let (listen, operator) = (unused_port(), unused_port());
        let folder = tempfile::tempdir().unwrap();
        let public_url = format!("http://127.0.0.1:{listen}");
        let gateway = GATEWAY
            .replace("{listen}", &listen.to_string())
            .replace("{operator}", &operator.to_string())
            .replace("{data}", &folder.path().display().to_string())
            .replace("{clinic}", clinic.base_url());
        fs::create_dir(folder.path().join("partners")).unwrap();
        fs::write(folder.path().join("gateway.toml"), gateway + delivery).unwrap();
        let mut simulated = Vec::new();
        for id in &PARTNERS[..partners] {
            let server = FhirServer::start(FhirServerOptions::default()).await.unwrap();
            let settings = PARTNER.replace("{id}", id).replace("{base}", server.base_url());
            fs::write(folder.path().join(format!("partners/{id}.toml")), settings).unwrap();
            simulated.push(SimulatedPartner::new(server, GatewayClient::new(access(&public_url, id))));
        }
        Self {
            clinic: SimulatedClinic::new(clinic),
            partners: simulated,
            public_url,
            operator_url: format!("http://127.0.0.1:{operator}"),
            letter_bytes: 0,
            folder,
            told: Mutex::default(),
        }
    }

    /// The gateway's folder: settings, ledger, key.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
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
        let partners = fs::read_dir(self.folder().join("partners")).unwrap().map(|it| it.unwrap().path());
        for file in partners.chain([self.folder().join("gateway.toml")]) {
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replace(from, to)).unwrap();
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
        let ledger = Connection::open_with_flags(self.ledger(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        ledger.busy_timeout(PATIENCE).unwrap();
        ledger.query_row(query, [], |row| row.get(0)).unwrap()
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

/// A port that no other world of this run has.
fn unused_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    free_port(24_000 + NEXT.fetch_add(10, Ordering::Relaxed))
}

const GATEWAY: &str = r#"
[server]
listen = "127.0.0.1:{listen}"
public_url = "http://127.0.0.1:{listen}"
operator_listen = "127.0.0.1:{operator}"
allow_private_networks = true
shutdown_grace_s = 5
body_timeout_s = 5

[store]
url = "sqlite:{data}/gateway.db"
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
