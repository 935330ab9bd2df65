//! The clinic's server is away, busy or strange, and then is not.

use std::time::Duration;

use referral_gateway::model::delivery::{DeliveryState, Owed};
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use crate::support::TestGateway;

const QUIET: Duration = Duration::from_secs(61);

#[tokio::test]
async fn a_clinic_that_is_unavailable_once_gets_the_referral_later() {
    let mut gateway = with_fault(Fault::status(503)).await;

    assert!(gateway.clinic().referrals().is_empty());
    assert_eq!(gateway.deliveries(DeliveryState::UnknownWait).await.len(), 1);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_clinic_that_asks_for_time_gets_it() {
    let mut gateway = with_fault(Fault::retry_after(429, "120")).await;

    gateway.after(Duration::from_secs(100)).await;
    assert_eq!(transactions(&gateway), 1);
    gateway.after(Duration::from_secs(21)).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_retry_after_that_is_no_number_or_beyond_reason_does_not_park_a_referral() {
    for wrong in ["soon", "-1", "NaN", "1e400", "999999999999"] {
        let mut gateway = with_fault(Fault::retry_after(429, wrong)).await;

        gateway.after(Duration::from_hours(6)).await;

        assert_arrived_once(&mut gateway).await;
    }
}

#[tokio::test]
async fn a_clinic_that_is_down_for_an_hour_gets_everything_once_when_it_is_back() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().stop().await;
    for seed in 1..=3 {
        let bundle = people::referral(seed, &ReferralOptions::default());
        assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    }
    for _ in 0..12 {
        gateway.work().await;
        gateway.clock().advance(Duration::from_mins(5));
    }

    gateway.clinic().server().restart().await.unwrap();
    gateway.after(Duration::from_hours(2)).await;

    assert_eq!(gateway.clinic().referrals().len(), 3);
    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 3);
}

#[tokio::test]
async fn a_login_page_is_no_yes() {
    let mut gateway = with_fault(Fault::new(Misbehaviour::Html)).await;

    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 0);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn an_answer_that_leaves_entries_out_is_no_yes() {
    let short = json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": [
        { "response": { "status": "201 Created", "location": "Patient/1/_history/1" } },
    ]});
    let mut gateway = with_fault(Fault::new(Misbehaviour::WrongContent(short))).await;

    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 0);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_referral_waits_for_the_settings_to_be_mended() {
    let elsewhere = TestGateway::start().await;
    let location = elsewhere.clinic().server().base_url().to_owned();
    let mut gateway = with_fault(Fault::new(Misbehaviour::Redirect { status: 307, location })).await;

    let waiting = gateway.deliveries(DeliveryState::RetryWait).await.remove(0);
    assert_eq!((waiting.attempts, waiting.reason.as_deref()), (0, Some("status")));
    assert_eq!(gateway.clinic().server().all("ServiceRequest").len(), 0);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
    assert!(elsewhere.clinic().server().requests().iter().all(|it| it.method == "GET"));
}

#[tokio::test]
async fn a_base_address_that_is_not_there_is_no_fault_of_the_referral() {
    let mut gateway = with_fault(refusal(404)).await;

    let waiting = gateway.deliveries(DeliveryState::RetryWait).await.remove(0);
    assert_eq!(waiting.attempts, 0);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_clinic_that_only_promises_is_asked_later_whether_it_is_done() {
    let promise = Misbehaviour::Status { status: 202, retry_after: None, body: Some(json!({})) };
    let mut gateway = with_fault(Fault::new(promise)).await;

    assert_eq!(gateway.deliveries(DeliveryState::UnknownWait).await.len(), 1);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_transaction_response_with_a_refused_entry_is_no_yes() {
    let response = |status| json!({ "response": { "status": status, "location": "Patient/1/_history/1" } });
    let entries =
        [response("201 Created"), response("201 Created"), response("201 Created"), response("422")];
    let answer = json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": entries });
    let mut gateway = with_fault(Fault::new(Misbehaviour::WrongContent(answer))).await;

    let waiting = gateway.deliveries(DeliveryState::UnknownWait).await.remove(0);
    assert_eq!(waiting.reason.as_deref(), Some("entry-refused"));
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_referral_at_which_the_clinic_fails_each_time_is_dead_where_others_go_through() {
    let mut gateway = with_fault(Fault::status(500)).await;
    let bad = gateway.deliveries(DeliveryState::UnknownWait).await.remove(0);
    for seed in 2..=6 {
        gateway.referral(seed).await;
        gateway.clinic().server().faults().push(Fault::status(500).on("POST", ""));
        gateway.after(Duration::from_hours(1)).await;
    }

    let dead = gateway.deliveries(DeliveryState::Dead).await;
    assert_eq!((dead.len(), dead[0].id, dead[0].reason.as_deref()), (1, bad.id, Some("poison")));
    gateway.clinic().server().faults().clear();
}

/// A gateway that has sent one referral to the clinic, which answered with this fault.
pub(super) async fn with_fault(fault: Fault) -> TestGateway {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().faults().push(fault.on("POST", ""));
    let bundle = people::referral(1, &ReferralOptions::default());
    assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    gateway.settle().await;
    assert_eq!(gateway.clinic().server().faults().pending(), 0);
    gateway
}

/// The one referral stands at the clinic once, and the partner can see that it does.
pub(super) async fn assert_arrived_once(gateway: &mut TestGateway) {
    let server = gateway.clinic().server();
    assert_eq!((server.all("ServiceRequest").len(), server.all("Task").len()), (1, 1));
    assert_eq!((server.all("Patient").len(), server.all("Provenance").len()), (1, 1));
    let delivered = gateway.deliveries(DeliveryState::Delivered).await;
    assert_eq!(delivered.iter().filter(|it| it.task == Owed::Forward).count(), 1);
    let task = gateway.lakeside().get("Task").await.unwrap().body["entry"][0]["resource"].take();
    assert_eq!(task["output"][0]["valueIdentifier"]["value"], "ServiceRequest/1");
    assert_eq!(task["output"][1]["valueIdentifier"]["value"], "Task/1");
}

/// This status, for good: a FHIR server's own word for a message that it will never take.
pub(super) fn refusal(status: u16) -> Fault {
    let outcome = json!({ "resourceType": "OperationOutcome", "issue": [
        { "severity": "error", "code": "processing" },
    ]});
    Fault::new(Misbehaviour::Status { status, retry_after: None, body: Some(outcome) })
}

/// How many transactions reached the clinic.
pub(super) fn transactions(gateway: &TestGateway) -> usize {
    gateway.clinic().server().requests().iter().filter(|it| it.method == "POST").count()
}
