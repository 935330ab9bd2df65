//! Referrals over real HTTP connections to a whole gateway, beside a server that checks nothing, seals nothing and
//! writes the same rows with the same durability. Senders and servers share this process, so the figures of the
//! CPU have the senders in them, on both sides.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use referral_gateway::app::{Gateway, Sockets};
use referral_gateway::config;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::bare_http::BareServer;
use super::bodies;
use super::conditions::Watch;
use super::figures::{Pairs, Run, Spread};
use super::gateway::{next_number, sealed_length};
use super::{Plan, page_bytes, say};

const SECRET: &str = "the secret of this benchmark's partner";

/// So many senders with one connection each, for so long.
#[derive(Clone, Copy)]
struct Load<'a> {
    senders: usize,
    bundle: &'a str,
    lasts: Duration,
}

/// What came of it, with the time that each sender waited for its answers.
struct Answered {
    run: Run,
    took: Vec<Duration>,
}

pub(crate) async fn measure(plan: &Plan) {
    plan.heading("accept over HTTP, SQLite");
    for bytes in bodies::SIZES {
        let bundle = bodies::bundle(bytes);
        let stored = sealed_length(bundle.as_bytes());
        for senders in [1, 16, 64] {
            let load = Load { senders, bundle: &bundle, lasts: plan.lasts };
            let (mut pairs, mut ours, mut bare) = (Pairs::default(), Vec::new(), Vec::new());
            for _ in 0..plan.rounds {
                let (gateway, page_bytes) = through_the_gateway(plan, load).await;
                let beside = BareServer::start(plan.folder(), page_bytes, stored).await;
                let beside = send(&beside.address, "", load).await;
                pairs.0.push((gateway.run, beside.run));
                ours.push(gateway.took);
                bare.push(beside.took);
            }
            let (ours, bare) = (ours.as_slice(), bare.as_slice());
            say(&format!(
                "{:>2} KiB, {senders:>2} connections: {pairs}; p50 {:.0} µs, p99 {:.0} µs (limit {:.0}, {:.0})",
                bytes / 1024,
                part_within(ours, 50),
                part_within(ours, 99),
                part_within(bare, 50),
                part_within(bare, 99)
            ));
        }
    }
}

/// The median over the rounds of the time within which so many of a hundred were answered, in microseconds.
fn part_within(rounds: &[Vec<Duration>], percent: usize) -> f64 {
    let of_each = rounds.iter().map(|took| {
        let mut took = took.clone();
        took.sort();
        took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)))
            .map_or(f64::NAN, |it| it.as_secs_f64() * 1e6)
    });
    Spread::of(of_each).median
}

async fn through_the_gateway(plan: &Plan, load: Load<'_>) -> (Answered, u32) {
    let folder = plan.folder();
    let sockets = Sockets { public: listener().await, operator: listener().await };
    let address = sockets.public.local_addr().expect("it is bound").to_string();
    write_settings(folder.path(), &address);
    let loaded = config::load(folder.path(), &BTreeMap::new());
    let problems: Vec<String> = loaded.problems.iter().map(config::problem::Problem::to_text).collect();
    let settings = loaded.config.unwrap_or_else(|| panic!("{}", problems.join("\n")));
    let gateway = Gateway::start(settings, sockets, None).await.expect("a new gateway starts");
    let token = token(&address).await;
    let answered = send(&address, &format!("Bearer {token}"), load).await;
    let page_bytes = page_bytes(folder.path());
    gateway.stop().await;
    (answered, page_bytes)
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port is free")
}

async fn token(address: &str) -> String {
    let client = GatewayClient::new(GatewayAccess {
        public_url: format!("http://{address}"),
        client_id: "lakeside".to_owned(),
        client_secret: Sensitive::new(SECRET.to_owned()),
        scope: "system/*.cruds".to_owned(),
    });
    let reply = client.request_token().await.expect("the gateway answers");
    reply.body["access_token"].as_str().expect("it gives a token").to_owned()
}

/// Each sender sends the next when the last was answered.
async fn send(address: &str, authorization: &str, load: Load<'_>) -> Answered {
    let mut senders = Vec::new();
    for _ in 0..load.senders {
        let http = reqwest::Client::builder().no_proxy().build();
        let sender = Sender {
            http: http.expect("the settings of this client are fixed"),
            url: format!("http://{address}/fhir"),
            authorization: authorization.to_owned(),
            bundle: load.bundle.to_owned(),
        };
        // The first opens the connection.
        sender.send().await;
        senders.push(sender);
    }
    let mut tasks = JoinSet::new();
    let watch = Watch::start();
    let end = Instant::now() + load.lasts;
    for sender in senders {
        tasks.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                took.push(sender.send().await);
            }
            took
        });
    }
    let took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let run = watch.stop(u32::try_from(took.len()).unwrap_or(u32::MAX), 1.0);
    Answered { run, took }
}

struct Sender {
    http: reqwest::Client,
    url: String,
    authorization: String,
    bundle: String,
}

impl Sender {
    async fn send(&self) -> Duration {
        let number = next_number();
        let body = bodies::numbered(&self.bundle, number);
        let request = self.http.post(&self.url).header("Content-Type", "application/fhir+json");
        let request = request.header("Idempotency-Key", format!("send-{number}"));
        let request = request.header("Authorization", &self.authorization).body(body);
        let began = Instant::now();
        let answer = request.send().await.expect("the server answers");
        let status = answer.status();
        let body = answer.bytes().await.expect("the server answers to the end");
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        began.elapsed()
    }
}

/// Nothing but the work limits a sender.
fn write_settings(folder: &Path, public: &str) {
    let data = folder.display();
    let gateway = format!(
        r#"[server]
listen = "{public}"
public_url = "http://{public}"
operator_listen = "127.0.0.1:1"
allow_private_networks = true

[limits]
requests_per_second = 1000000
burst = 1000000
free_disk_bytes = 0
free_disk_percent = 0
ballast_bytes = 0

[store]
url = "sqlite:{data}/gateway.db"
encryption_key_file = "{data}/gateway.key"

[clinic]
base_url = "http://127.0.0.1:1"
name = "Harbour Clinic"
hook_token = "the hook token of this benchmark"

[consent.default]
preset = "opt-in-hold"
"#
    );
    let partner = format!(
        r#"id = "lakeside"
name = "Lakeside Family Medicine"
organization = {{ system = "http://hl7.org/fhir/sid/us-npi", value = "1234567893" }}

[inbound]
client_id = "lakeside"
client_secret = "{SECRET}"

[outbound]
mode = "inbox"
share = ["referral-status"]
"#
    );
    fs::create_dir_all(folder.join("partners")).expect("the folder can be written to");
    fs::write(folder.join("gateway.toml"), gateway).expect("the folder can be written to");
    fs::write(folder.join("partners/lakeside.toml"), partner).expect("the folder can be written to");
}
