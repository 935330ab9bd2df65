//! How much comes in at a time, and when the door for referrals is shut.

use std::time::Duration;

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Options, TestGateway, assert_refused};

const QUIET: &str = "token_burst = 1000000\nfree_disk_bytes = 0\nfree_disk_percent = 0\nballast_bytes = 0\n";

fn referral(seed: u64) -> Value {
    people::referral(seed, &ReferralOptions::default())
}

/// A gateway whose `[limits]` say this.
async fn gateway(limits: &str) -> TestGateway {
    let limits = format!("{QUIET}{limits}").leak();
    TestGateway::with(Options { limits, ..Options::default() }).await
}

async fn shut(gateway: &TestGateway) -> Value {
    gateway.gateway().look_at_pressure().await;
    let ready = gateway.operator_calls("GET", "/readyz").send().await;
    assert_eq!((ready.status.as_u16(), &ready.body["ready"]), (200, &json!(true)), "reads go on");
    ready.body["shut"].clone()
}

fn retry_after(reply: &Reply) -> &str {
    reply.headers["retry-after"].to_str().unwrap()
}

#[tokio::test]
async fn a_partner_that_calls_too_often_is_told_when_to_come_back() {
    let gateway = gateway("requests_per_second = 1\nburst = 2").await;

    let statuses = [gateway.read().await, gateway.read().await].map(|it| it.status.as_u16());
    let third = gateway.read().await;
    gateway.clock().advance(Duration::from_secs(1));
    let later = gateway.read().await;

    assert_eq!((statuses, later.status.as_u16()), ([200, 200], 200));
    assert_refused(&third, 429, "SEND_TOO_OFTEN");
    assert_eq!(retry_after(&third), "1");
    assert_eq!(third.body["issue"][0]["code"], "throttled");
    assert!(gateway.metrics().await[r#"refgw_refused_total{code="SEND_TOO_OFTEN"}"#] > 0.0);
}

#[tokio::test]
async fn one_partner_does_not_use_up_the_share_of_another() {
    let limits = format!("{QUIET}burst = 1").leak();
    let partners = vec!["lakeside", "hillside"];
    let gateway = TestGateway::with(Options { partners, limits, ..Options::default() }).await;

    let statuses = [
        gateway.read().await.status.as_u16(),
        gateway.read().await.status.as_u16(),
        gateway.partner("hillside").client().get("Task").await.unwrap().status.as_u16(),
    ];

    assert_eq!(statuses, [200, 429, 200]);
}

#[tokio::test]
async fn tokens_are_not_given_without_end_and_guessing_locks_out_nobody_else() {
    let limits = "token_requests_per_second = 1\ntoken_burst = 3\nballast_bytes = 0";
    let gateway = TestGateway::with(Options { limits, ..Options::default() }).await;
    let guess = async |client: &str| {
        let basic = base64(&format!("{client}:guess"));
        let call = gateway.call("POST", "/oauth2/token").header("authorization", &format!("Basic {basic}"));
        call.form("grant_type=client_credentials").send().await
    };

    for _ in 0..3 {
        assert_eq!(guess("nobody").await.status, 401);
    }
    let refused = guess("somebody-else-who-is-unknown").await;
    let known = gateway.lakeside().client().request_token().await.unwrap();

    assert_eq!((refused.status.as_u16(), retry_after(&refused)), (429, "1"));
    assert_eq!(refused.body["error"], "temporarily_unavailable");
    assert_eq!(known.status, 200, "a registered client has a share of its own");
    gateway.clock().advance(Duration::from_secs(1));
    assert_eq!(guess("nobody").await.status, 401);
}

#[tokio::test]
async fn bodies_that_do_not_fit_beside_each_other_are_put_off() {
    let mut gateway = gateway("body_bytes_at_once = 1048576\nburst = 1000000").await;
    let token = gateway.token("lakeside").await;
    let head = format!(
        "POST /fhir HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\
         Content-Type: application/fhir+json\r\nContent-Length: 1048576\r\n\r\n"
    );
    let mut slow = gateway.connect().await;
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "it is being read");

    let beside = gateway.send_bundle("lakeside", &referral(1)).await;
    drop(slow);
    let after = settled(async || gateway.send_bundle("lakeside", &referral(1)).await).await;

    assert_refused(&beside, 503, "GW_BUSY");
    assert_eq!(retry_after(&beside), "30");
    assert_eq!(after.status, 200);
    gateway.settle().await;
}

#[tokio::test]
async fn a_shut_door_answers_repeats_and_reads_and_opens_by_itself() {
    let mut gateway = gateway("undelivered = 1\nburst = 1000000").await;
    let first = gateway.send_bundle("lakeside", &referral(1)).await;
    gateway.send_bundle("lakeside", &referral(2)).await;

    assert_eq!(shut(&gateway).await, json!(["undelivered"]));
    let new = gateway.send_bundle("lakeside", &referral(3)).await;
    let repeat = gateway.send_bundle("lakeside", &referral(1)).await;
    let read = gateway.read().await;

    assert_refused(&new, 503, "GW_SHUT");
    assert_eq!((retry_after(&new), &new.body["issue"][0]["code"]), ("30", &json!("throttled")));
    assert_eq!((repeat.status.as_u16(), &repeat.body), (200, &first.body));
    assert_eq!((read.status.as_u16(), gateway.rows("referral")), (200, 2));
    assert!(gateway.metrics().await[r#"refgw_shut{why="undelivered"}"#] > 0.0);

    gateway.settle().await;
    assert_eq!(shut(&gateway).await, json!([]));
    let again = gateway.send_bundle("lakeside", &referral(3)).await;
    gateway.settle().await;
    assert_eq!(again.status, 200);
    let log = gateway.log_text();
    assert_eq!(log.matches("no new referrals are taken for now").count(), 1);
    assert_eq!(log.matches("referrals are taken again").count(), 1);
}

#[tokio::test]
async fn a_known_key_with_another_content_is_a_conflict_at_a_shut_door_too() {
    let mut gateway = gateway("undelivered = 1\nburst = 1000000").await;
    for seed in [1, 2] {
        gateway.send_bundle("lakeside", &referral(seed)).await;
    }
    shut(&gateway).await;

    let mut other = referral(1);
    crate::support::part_mut(&mut other, "ServiceRequest")["priority"] = json!("stat");

    assert_refused(&gateway.send_bundle("lakeside", &other).await, 422, "SEND_DUPLICATE");
    gateway.settle().await;
}

#[tokio::test]
async fn what_waits_for_long_shuts_the_door_only_where_much_waits() {
    let mut gateway = gateway("oldest_undelivered_s = 60\nold_depth = 1\nburst = 1000000").await;
    gateway.send_bundle("lakeside", &referral(1)).await;
    gateway.clock().advance(Duration::from_secs(61));

    assert_eq!(shut(&gateway).await, json!([]));
    gateway.send_bundle("lakeside", &referral(2)).await;
    assert_eq!(shut(&gateway).await, json!(["oldest-undelivered"]));
    gateway.settle().await;
}

#[tokio::test]
async fn a_full_disk_shuts_the_door() {
    let limits = "free_disk_bytes = 9000000000000000000\nballast_bytes = 0\ntoken_burst = 10";
    let mut gateway = TestGateway::with(Options { limits, ..Options::default() }).await;

    assert_eq!(shut(&gateway).await, json!(["disk"]));
    assert_refused(&gateway.send_bundle("lakeside", &referral(1)).await, 503, "GW_SHUT");
    gateway.assert_nothing_recorded();
    let metrics = gateway.metrics().await;
    assert!(metrics["refgw_disk_free_bytes"] > 0.0 && metrics["refgw_wal_bytes"] > 1.0);
}

#[tokio::test]
async fn a_ballast_is_taken_aboard_at_the_start_and_left_ashore_where_it_is_switched_off() {
    let with = TestGateway::with(Options {
        limits: "ballast_bytes = 1048576\nfree_disk_bytes = 0\nfree_disk_percent = 0",
        ..Options::default()
    });
    let (with, without) = (with.await, TestGateway::start().await);

    assert_eq!(with.ledger().with_extension("ballast").metadata().unwrap().len(), 1_048_576);
    assert!(!without.ledger().with_extension("ballast").exists());
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let gateway = gateway("connections = 1\nburst = 1000000").await;
    let first = gateway.connect().await;
    let mut second = gateway.connect().await;
    second.write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n").await.unwrap();

    let mut byte = [0];
    let waiting = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    drop(first);
    let served = second.read(&mut byte).await.unwrap();

    assert!(waiting.is_err(), "the first has the one place");
    assert_eq!(served, 1);
}

impl TestGateway {
    async fn read(&self) -> Reply {
        self.lakeside().client().get("Task").await.unwrap()
    }
}

/// The place of a connection that was broken off is given back a moment later.
async fn settled(mut send: impl AsyncFnMut() -> Reply) -> Reply {
    for _ in 0..1000 {
        let reply = send().await;
        if reply.status != 503 {
            return reply;
        }
    }
    panic!("it never fitted");
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
