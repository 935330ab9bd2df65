//! What no HTTP client would send.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use tokio::io::AsyncWriteExt as _;

use crate::support::{TestGateway, WireReply, assert_refused};

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let gateway = TestGateway::start().await;
    let mut stream = gateway.connect().await;
    let head = head(&gateway, "Content-Length: 100000\r\n").await;
    stream.write_all(format!("{head}{{\"resourceType\":").as_bytes()).await.unwrap();

    // Nothing more is sent and the connection stays open: the limit of two seconds is real time.
    let reply = WireReply::read(stream).await.first();

    assert_refused(&reply, 408, "SEND_BODY_TOO_SLOW");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_body_that_is_shorter_than_it_said_is_refused() {
    let gateway = TestGateway::start().await;
    let head = head(&gateway, "Content-Length: 100000\r\n").await;

    let answer = gateway.exchange_and_hang_up(format!("{head}{{}}")).await;

    // The sender has hung up half-way: an answer may not reach it, but if it does it is a refusal.
    if !answer.text.is_empty() {
        assert_refused(&answer.first(), 400, "SEND_BODY_BROKEN");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_body_that_is_longer_than_it_said_is_read_as_far_as_it_said() {
    let gateway = TestGateway::start().await;
    let head = head(&gateway, "Content-Length: 2\r\n").await;

    let answer = gateway.exchange(format!("{head}{{}}POST /fhir HTTP/1.1\r\n")).await;

    assert_eq!(answer.first().status, 422);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_body_in_chunks_is_taken_and_measured() {
    let gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default()).to_string();
    let head = head(&gateway, "Transfer-Encoding: chunked\r\n").await;
    let chunk = format!("{:x}\r\n{bundle}\r\n0\r\n\r\n", bundle.len());
    let endless = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(20);

    let taken = gateway.exchange(format!("{head}{chunk}")).await.first();
    let refused = gateway.exchange(format!("{head}{endless}")).await.first();
    gateway.settle().await;

    assert_eq!(taken.status, 200);
    assert_refused(&refused, 413, "SEND_BODY_TOO_LARGE");
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn a_length_and_chunks_together_smuggle_nothing() {
    let gateway = TestGateway::start().await;
    let head = head(&gateway, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n").await;

    let answer = gateway.exchange(format!("{head}0\r\n\r\nGET /fhir/Task HTTP/1.1\r\nHost: x\r\n\r\n")).await;

    assert!(!answer.text.contains("searchset"), "{}", answer.text);
    assert!((400..500).contains(&answer.first().status.as_u16()), "{}", answer.text);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_harms_nobody() {
    let gateway = TestGateway::start().await;

    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /fhir/Task HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /fhir/Task HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n".to_vec(),
        b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
        vec![0; 4096],
        format!("GET /fhir/Task HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(1000)).into_bytes(),
    ] {
        let answer = gateway.exchange_and_hang_up(garbage).await;

        let refused = answer.text.is_empty() || (400..500).contains(&answer.first().status.as_u16());
        assert!(refused, "{}", answer.text);
    }

    assert_eq!(gateway.call("GET", "/fhir/metadata").send().await.status, 200);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_long_header_that_still_fits_is_no_reason_to_fail() {
    let gateway = TestGateway::start().await;

    let call =
        gateway.call("GET", "/fhir/Task").header("authorization", &format!("Bearer {}", "x".repeat(100_000)));

    assert_refused(&call.send().await, 401, "SEND_TOKEN");
}

#[tokio::test]
async fn a_caller_that_expects_to_be_told_to_continue_is_told() {
    let gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default()).to_string();
    let head = head(&gateway, &format!("Content-Length: {}\r\nExpect: 100-continue\r\n", bundle.len())).await;

    let answer = gateway.exchange(format!("{head}{bundle}")).await;
    gateway.settle().await;

    assert!(answer.text.contains("HTTP/1.1 200 OK"), "{}", answer.text);
    assert_eq!(gateway.rows("referral"), 1);
}

/// The head of a POST to the Bundle door as lakeside, with these further lines.
async fn head(gateway: &TestGateway, lines: &str) -> String {
    let token = gateway.token("lakeside").await;
    format!(
        "POST /fhir HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/fhir+json\r\n{lines}\r\n"
    )
}
