//! The real program ends in order, whatever it is doing.

use std::fs;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use referral_gateway::fhir::client::http_client;
use referral_gateway::fhir::json;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::{Serving, free_port, send_term};
use crate::support::{SECRET, TestGateway};

/// A simulated clinic and partner, and settings for a process between them.
struct World {
    gateway: TestGateway,
    public: String,
    operator: String,
}

impl World {
    async fn new() -> Self {
        let mut gateway = TestGateway::start().await;
        gateway.stop().await;
        let [public, operator] = [(); 2].map(|()| format!("127.0.0.1:{}", next_port()));
        let file = gateway.folder().join("gateway.toml");
        let settings = fs::read_to_string(&file).unwrap();
        let elsewhere = settings.lines().map(|it| match it.split_once(" = ") {
            Some((key @ "listen", _)) => format!("{key} = \"{public}\"\n"),
            Some((key @ "operator_listen", _)) => format!("{key} = \"{operator}\"\n"),
            Some((key @ "public_url", _)) => format!("{key} = \"http://{public}\"\n"),
            _ => format!("{it}\n"),
        });
        fs::write(&file, elsewhere.collect::<String>()).unwrap();
        Self { gateway, public, operator }
    }

    /// Changes the settings.
    fn set(&self, from: &str, to: &str) {
        let file = self.gateway.folder().join("gateway.toml");
        let settings = fs::read_to_string(&file).unwrap();
        assert!(settings.contains(from));
        fs::write(&file, settings.replace(from, to)).unwrap();
    }

    fn serve(&self) -> Serving {
        Serving::start(self.gateway.folder())
    }

    fn client(&self) -> GatewayClient {
        GatewayClient::new(GatewayAccess {
            public_url: format!("http://{}", self.public),
            client_id: "lakeside".to_owned(),
            client_secret: Sensitive::new(SECRET.to_owned()),
            scope: "system/*.cruds".to_owned(),
        })
    }

    async fn token(&self) -> String {
        let reply = self.client().request_token().await.unwrap();
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// The answer of the operator's door, as JSON with its status.
    async fn ready(&self) -> (u16, Value) {
        let answer = http_client().get(format!("http://{}/readyz", self.operator)).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, json::parse(&answer.bytes().await.unwrap()).unwrap())
    }

    async fn ready_becomes(&self, expected: u16) -> (u16, Value) {
        for _ in 0..10_000 {
            let (status, body) = self.ready().await;
            if status == expected {
                return (status, body);
            }
        }
        panic!("it never became {expected}");
    }

    /// Everything is in the file itself: the write-ahead log is gone or empty.
    fn assert_ledger_is_closed(&self) {
        let mut wal = self.gateway.ledger().into_os_string();
        wal.push("-wal");
        assert_eq!(fs::metadata(wal).map_or(0, |it| it.len()), 0);
    }

    /// Opens the ledger again and counts.
    async fn count(&mut self, state: DeliveryState) -> usize {
        self.gateway.restart().await;
        self.gateway.deliveries(state).await.len()
    }
}

/// No two tests of this file begin their search at the same port.
fn next_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(24_000);
    free_port(NEXT.fetch_add(97, Ordering::Relaxed))
}

fn bundle() -> Value {
    people::referral(1, &ReferralOptions::default())
}

/// Waits beside the tasks of this test, such as the simulated clinic.
async fn wait_for_end(serving: Serving) -> (Option<i32>, String) {
    let (end, log) = tokio::task::spawn_blocking(|| serving.wait_for_end()).await.unwrap();
    (end.code(), log)
}

#[tokio::test]
async fn before_the_doors_close_readiness_says_so_and_a_second_signal_ends_at_once() {
    let mut world = World::new().await;
    world.gateway.expect_leftovers();
    world.set("send_grace_s = 2", "send_grace_s = 2\nstop_delay_s = 600");
    let serving = world.serve();
    assert_eq!(world.ready().await.0, 200);

    serving.ask_to_stop();
    let (status, ready) = world.ready_becomes(503).await;
    let answered = world.client().post("", &bundle()).await.unwrap();
    serving.ask_to_stop();
    let (code, log) = wait_for_end(serving).await;

    assert_eq!((status, &ready["not_ready"]), (503, &serde_json::json!(["stopping"])));
    assert_eq!(answered.status, 200, "whoever has not noticed is still served");
    assert_eq!(code, Some(1), "{log}");
    assert!(log.trim_end().ends_with("stopped at once"), "{log}");
}

#[tokio::test]
async fn an_open_request_is_answered_and_kept_while_no_new_one_comes_in() {
    let mut world = World::new().await;
    let mut serving = world.serve();
    let (token, body) = (world.token().await, bundle().to_string());
    world.gateway.watch_for(&bundle());
    let head = format!(
        "POST /fhir HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\
         Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut open = TcpStream::connect(&world.public).await.unwrap();
    open.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    open.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[..12], b"HTTP/1.1 100");

    serving.ask_to_stop();
    serving.wait_for("stopping");
    while TcpStream::connect(&world.public).await.is_ok() {}
    open.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    let (code, log) = wait_for_end(serving).await;

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.trim_end().ends_with("stopped"), "{log}");
    world.assert_ledger_is_closed();
    assert_eq!(world.gateway.rows("referral"), 1);
    world.gateway.expect_leftovers();
}

#[tokio::test]
async fn a_delivery_under_way_ends_and_is_on_record() {
    let mut world = World::new().await;
    let serving = world.serve();
    let id = serving.id();
    let stop = Fault::meanwhile(move || send_term(id)).on("POST", "");
    world.gateway.clinic().server().faults().push(stop);

    let answered = world.client().post("", &bundle()).await.unwrap();
    let (code, log) = wait_for_end(serving).await;

    assert_eq!((answered.status.as_u16(), code), (200, Some(0)), "{log}");
    assert!(!log.contains("cut off"), "{log}");
    world.assert_ledger_is_closed();
    assert_eq!(world.gateway.clinic().referrals().len(), 1);
    assert_eq!(world.count(DeliveryState::Delivered).await, 1);
}

#[tokio::test]
async fn a_delivery_that_does_not_end_is_cut_off_and_looked_for_after_the_next_start() {
    let mut world = World::new().await;
    world.set("timeout_s = 2", "timeout_s = 40");
    world.set("send_grace_s = 2", "send_grace_s = 1");
    let server = world.gateway.clinic().server();
    server.faults().push(Fault::new(Misbehaviour::ApplyThenHang).on("POST", ""));
    let serving = world.serve();

    world.client().post("", &bundle()).await.unwrap();
    let sent =
        server.wait_for_requests(|all| all.iter().any(|it| it.method == "POST"), Duration::from_secs(20));
    assert!(sent.await);
    serving.ask_to_stop();
    let (code, log) = wait_for_end(serving).await;

    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("attempts were cut off at the end of the grace period"), "{log}");
    world.assert_ledger_is_closed();
    assert_eq!(world.count(DeliveryState::UnknownWait).await, 1);
    world.gateway.after(Duration::from_hours(365 * 24)).await;
    assert_eq!(world.gateway.clinic().referrals().len(), 1, "it was there already");
}
