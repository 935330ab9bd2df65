//! What is known of a server counts for everything that is owed to it, and for nobody else (reference: delivery
//! B7).

use std::time::Duration;

use jiff::SignedDuration;
use referral_gateway::model::clock::Clock as _;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Offers};
use rusqlite::{Connection, params};

use super::{only, referral_of, sent_to, the_one};
use crate::support::{Options, TestGateway};

async fn two_partners() -> TestGateway {
    TestGateway::with(Options { partners: vec!["lakeside", "northside"], ..Options::default() }).await
}

fn sent(gateway: &TestGateway, partner: &str) -> usize {
    sent_to(gateway.partner(partner)).len()
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it_from_every_referral() {
    let mut gateway = two_partners().await;
    let (first, second) = (gateway.referral(1).await, gateway.referral(2).await);
    let elsewhere = referral_of(&mut gateway, "northside", 3).await;
    gateway.lakeside().server().faults().push(Fault::retry_after(429, "600").on("POST", ""));
    gateway.clinic().accept(&first);
    gateway.settle().await;

    gateway.clinic().accept(&second);
    gateway.clinic().accept(&elsewhere);
    gateway.after(Duration::from_secs(590)).await;
    assert_eq!((sent(&gateway, "lakeside"), sent(&gateway, "northside")), (1, 1));
    gateway.after(Duration::from_secs(11)).await;

    assert_eq!(gateway.lakeside().server().all("Task").len(), 2);
}

#[tokio::test]
async fn a_server_that_is_down_is_probed_by_one_and_gets_everything_when_it_is_back() {
    let mut gateway = two_partners().await;
    let mut referrals = Vec::new();
    for seed in 1..=8 {
        referrals.push(gateway.referral(seed).await);
    }
    gateway.lakeside().server().faults().always(Some(Fault::status(502).on("POST", "")));
    for referral in &referrals {
        gateway.clinic().accept(referral);
    }
    gateway.settle().await;
    let before = sent(&gateway, "lakeside");
    gateway.after(Duration::from_mins(5)).await;
    let after = sent(&gateway, "lakeside");
    assert!(before < 10 && after <= before + 1, "{before}, then {after}");
    assert_eq!(gateway.log_text().matches("a server is left alone").count(), 1);

    gateway.lakeside().server().faults().clear();
    for _ in 0..10 {
        gateway.after(Duration::from_mins(20)).await;
    }

    assert_eq!(gateway.lakeside().server().all("Task").len(), 8);
    assert_eq!(gateway.log_text().matches("a server works again").count(), 1);
}

#[tokio::test]
async fn credentials_that_are_refused_use_no_attempt_and_count_against_the_server() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().set_bearer_token(Some("another"));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let waiting = the_one(&gateway, DeliveryState::RetryWait).await;
    gateway.after(Duration::from_mins(10)).await;
    gateway.lakeside().server().set_bearer_token(None);
    gateway.after(Duration::from_mins(20)).await;

    assert_eq!(waiting.attempts, 0);
    assert!(gateway.log_text().contains("\"why\":\"auth\""));
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_server_that_forbids_three_referrals_is_left_alone() {
    let mut gateway = TestGateway::start().await;
    gateway.expect_leftovers();
    let mut referrals = Vec::new();
    for seed in 1..=4 {
        referrals.push(gateway.referral(seed).await);
    }
    gateway.lakeside().server().faults().always(Some(Fault::status(403).on("POST", "")));
    for referral in &referrals[..3] {
        gateway.clinic().accept(referral);
        gateway.settle().await;
    }
    gateway.clinic().accept(&referrals[3]);
    gateway.settle().await;

    assert_eq!(sent(&gateway, "lakeside"), 3);
    assert_eq!(gateway.deliveries(DeliveryState::Dead).await.len(), 3);
    the_one(&gateway, DeliveryState::Queued).await;
}

#[tokio::test]
async fn a_clinic_that_cannot_be_read_says_nothing_against_the_partner() {
    let mut gateway = TestGateway::start().await;
    let mut referrals = Vec::new();
    for seed in 1..=6 {
        referrals.push(gateway.referral(seed).await);
    }
    gateway.clinic().server().faults().always(Some(Fault::status(500).on("GET", "Patient")));
    for referral in &referrals {
        gateway.clinic().accept(referral);
    }
    gateway.settle().await;
    gateway.clinic().server().faults().clear();
    gateway.after(Duration::from_mins(1)).await;

    assert!(!gateway.log_text().contains("a server is left alone"));
    assert_eq!(gateway.lakeside().server().all("Task").len(), 6);
}

#[tokio::test]
async fn what_waited_for_hours_goes_when_the_server_is_back_and_not_hours_later() {
    let mut gateway = TestGateway::start().await;
    let (first, second) = (gateway.referral(1).await, gateway.referral(2).await);
    gateway.lakeside().server().faults().always(Some(Fault::status(502).on("POST", "")));
    gateway.clinic().accept(&first);
    gateway.settle().await;
    let patient = the_one(&gateway, DeliveryState::UnknownWait).await;
    gateway.clinic().accept(&second);
    for _ in 0..72 {
        gateway.after(Duration::from_mins(20)).await;
    }
    let probes = gateway.deliveries(DeliveryState::UnknownWait).await;
    assert!(probes.iter().all(|it| it.attempts <= 5), "probes use no attempt of a message: {probes:?}");
    let hours = gateway.clock().now() + SignedDuration::from_hours(5);
    let ledger = Connection::open(gateway.ledger()).unwrap();
    let change = "UPDATE delivery SET due_ms = ?1, attempts = 9 WHERE delivery_id = ?2";
    ledger.execute(change, params![hours.as_millisecond(), patient.id.to_string()]).unwrap();
    let change = "UPDATE lane SET due_ms = ?1, tried = 1 WHERE lane_id = 'lakeside/' || ?2";
    ledger.execute(change, params![hours.as_millisecond(), patient.referral.to_string()]).unwrap();

    gateway.lakeside().server().faults().clear();
    for _ in 0..5 {
        gateway.after(Duration::from_mins(6)).await;
    }

    assert_eq!(gateway.lakeside().server().all("Task").len(), 2);
    assert!(gateway.log_text().contains("what waited for a server is due"));
}

/// Three referrals at a server that answers 405 to creations of Tasks, twice for the first.
async fn with_a_kind_that_is_not_taken() -> TestGateway {
    let mut gateway = TestGateway::start().await;
    gateway.expect_leftovers();
    let mut referrals = Vec::new();
    for seed in 1..=3 {
        referrals.push(gateway.referral(seed).await);
    }
    gateway.lakeside().server().faults().always(Some(Fault::status(405).on("POST", "Task")));
    gateway.clinic().accept(&referrals[0]);
    gateway.settle().await;
    gateway.after(Duration::from_mins(1)).await;
    the_one(&gateway, DeliveryState::Dead).await;
    for referral in &referrals[1..] {
        gateway.clinic().accept(referral);
        gateway.clinic().schedule(referral);
    }
    gateway.settle().await;
    gateway
}

#[tokio::test]
async fn a_kind_that_a_server_does_not_take_is_held_and_other_kinds_arrive() {
    let gateway = with_a_kind_that_is_not_taken().await;

    let held = gateway.deliveries(DeliveryState::Held).await;
    assert!(held.iter().all(|it| it.reason.as_deref() == Some("kind-suspended:create-Task")), "{held:?}");
    assert_eq!(held.len(), 2);
    assert_eq!(gateway.lakeside().server().all("Appointment").len(), 2);
    assert_eq!(sent(&gateway, "lakeside"), 2 + 2, "two tries of the first Task, two Appointments");

    gateway.lakeside().server().faults().clear();
    gateway.after(Duration::from_hours(1)).await;
    assert!(gateway.lakeside().server().all("Task").is_empty(), "nobody has said that anything changed");
}

#[tokio::test]
async fn a_changed_capability_statement_lets_go_what_was_held() {
    let gateway = with_a_kind_that_is_not_taken().await;
    gateway.gateway().look_at_offers().await.unwrap();
    gateway.lakeside().server().faults().clear();
    gateway.gateway().look_at_offers().await.unwrap();
    gateway.settle().await;
    assert!(gateway.lakeside().server().all("Task").is_empty());

    gateway.lakeside().server().set_offers(Offers { update_create: true, ..Offers::default() });
    gateway.gateway().look_at_offers().await.unwrap();
    gateway.settle().await;

    assert_eq!(gateway.lakeside().server().all("Task").len(), 2);
    assert!(gateway.deliveries(DeliveryState::Held).await.is_empty());
}
