//! A server that accepts an update and tells later what became of it (202; FHIR R4, async).

use std::time::Duration;

use axum::body::Bytes;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};

use super::{only, sent, the_one};
use crate::support::TestGateway;

const A_WHILE: Duration = Duration::from_mins(10);

/// 202 with this header, and nothing done.
fn accepted(header: (&'static str, String)) -> Fault {
    Fault::new(Misbehaviour::Raw { status: 202, headers: vec![header], body: Bytes::new() })
}

/// An update that lakeside's server has accepted, and tells at this address what becomes of it.
async fn accepted_by_lakeside(told_at: impl Fn(&str) -> String) -> TestGateway {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let server = gateway.lakeside().server();
    let address = told_at(server.base_url());
    server.faults().push(accepted(("content-location", address)).on("POST", "Task"));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway
}

/// How often lakeside's server was asked what became of it, and how often for a Task with our identifier.
fn asked(gateway: &TestGateway) -> (usize, usize) {
    let requests = gateway.lakeside().server().requests();
    let of = |path: &str| {
        requests.iter().filter(|it| it.method == "GET" && it.path_and_query.contains(path)).count()
    };
    (of("jobs/7"), of("Task?identifier"))
}

#[tokio::test]
async fn what_was_accepted_is_asked_for_where_the_server_says_and_not_sent_again_meanwhile() {
    let gateway = accepted_by_lakeside(|base| format!("{base}/jobs/7")).await;
    let server = gateway.lakeside().server();
    let waiting = the_one(&gateway, DeliveryState::UnknownWait).await;
    assert_eq!(waiting.reason.as_deref(), Some("accepted-only"));

    server.faults().push(accepted(("retry-after", "120".to_owned())).on("GET", "jobs/7"));
    gateway.after(A_WHILE).await;
    assert_eq!((asked(&gateway), sent(&gateway).len()), ((1, 0), 1), "it is under way");

    let task = server.requests().into_iter().find(|it| it.method == "POST").unwrap().json();
    server.create(task);
    server.faults().push(Fault::new(Misbehaviour::WrongContent(serde_json::json!({}))).on("GET", "jobs/7"));
    gateway.after(A_WHILE).await;

    assert_eq!((asked(&gateway), sent(&gateway).len()), ((2, 1), 1), "found, and not sent again");
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert!(gateway.deliveries(DeliveryState::UnknownWait).await.is_empty());
}

#[tokio::test]
async fn what_came_to_nothing_is_sent_again_also_after_a_restart() {
    let mut gateway = accepted_by_lakeside(|_| "/fhir/jobs/7".to_owned()).await;
    gateway.restart().await;

    gateway.lakeside().server().faults().push(Fault::status(500).on("GET", "jobs/7"));
    gateway.after(A_WHILE).await;

    assert_eq!(
        (asked(&gateway), sent(&gateway).len()),
        ((1, 2), 2),
        "looked for before and after it is sent"
    );
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn an_address_of_somebody_else_is_not_asked_and_the_update_looked_for() {
    let elsewhere = TestGateway::start().await;
    let address = format!("{}/jobs/7", elsewhere.clinic().server().base_url());
    let gateway = accepted_by_lakeside(|_| address.clone()).await;

    gateway.after(A_WHILE).await;

    assert_eq!(asked(&gateway), (0, 2), "looked for before and after it is sent again");
    let requests = elsewhere.clinic().server().requests();
    assert!(!requests.iter().any(|it| it.path_and_query.contains("jobs/7")));
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_referral_that_the_clinic_accepted_is_asked_for_and_written_once() {
    let mut gateway = TestGateway::start().await;
    let server = gateway.clinic().server();
    let address = format!("{}/jobs/7", server.base_url());
    server.faults().push(accepted(("content-location", address)).on("POST", ""));
    let bundle = referral_gateway::sandbox::people::referral(
        1,
        &referral_gateway::sandbox::people::ReferralOptions::default(),
    );
    assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    gateway.settle().await;
    let pending = accepted(("retry-after", "1".to_owned())).on("GET", "jobs/7");
    gateway.clinic().server().faults().push(pending);

    gateway.after(A_WHILE).await;
    assert!(gateway.clinic().referrals().is_empty(), "it is under way");
    gateway.after(A_WHILE).await;

    assert_eq!(gateway.clinic().referrals().len(), 1);
}
