//! An operator tries a dead delivery again.

use std::time::Duration;

use referral_gateway::fhir::client::http_client;
use referral_gateway::model::delivery::{Delivery, DeliveryState};
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::json;

use super::{only, sent, the_one, updates};
use crate::support::TestGateway;

async fn retry(gateway: &TestGateway, id: &str) -> u16 {
    let address = format!("{}/admin/deliveries/{id}/retry", gateway.operator_url());
    http_client().post(address).send().await.unwrap().status().as_u16()
}

/// A gateway with a delivery that lakeside refused.
async fn with_a_dead_one() -> (TestGateway, ClinicReferral, Delivery) {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let refusal = json!({ "resourceType": "OperationOutcome", "issue": [{ "code": "invalid" }] });
    let refuse = Misbehaviour::Status { status: 422, retry_after: None, body: Some(refusal) };
    gateway.lakeside().server().faults().push(Fault::new(refuse).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let dead = the_one(&gateway, DeliveryState::Dead).await;
    (gateway, referral, dead)
}

#[tokio::test]
async fn a_dead_delivery_goes_once_when_it_is_retried() {
    let (gateway, _, dead) = with_a_dead_one().await;

    let status = retry(&gateway, &dead.id.to_string()).await;
    gateway.settle().await;

    assert_eq!(status, 202);
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(sent(&gateway).len(), 2);
}

#[tokio::test]
async fn a_delivered_one_cannot_be_retried() {
    let (gateway, _, dead) = with_a_dead_one().await;
    retry(&gateway, &dead.id.to_string()).await;
    gateway.settle().await;

    let status = retry(&gateway, &dead.id.to_string()).await;
    gateway.settle().await;

    assert_eq!(status, 409);
    assert_eq!(sent(&gateway).len(), 2);
}

#[tokio::test]
async fn a_dead_delivery_does_not_take_the_place_of_a_newer_one() {
    let (gateway, referral, dead) = with_a_dead_one().await;
    gateway.clinic().complete(&referral);
    gateway.settle().await;

    let status = retry(&gateway, &dead.id.to_string()).await;
    gateway.after(Duration::from_mins(5)).await;

    assert_eq!(status, 409);
    assert_eq!(only(&gateway, "Task")["status"], "completed");
}

#[tokio::test]
async fn retrying_what_consent_holds_asks_consent_again() {
    let (gateway, referral, dead) = with_a_dead_one().await;
    gateway.clinic().revoke_consents(&referral);

    let status = retry(&gateway, &dead.id.to_string()).await;
    gateway.settle().await;

    assert_eq!(status, 202);
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Held);
    assert_eq!(sent(&gateway).len(), 1);
}

#[tokio::test]
async fn an_unknown_delivery_is_told_as_such() {
    let gateway = TestGateway::start().await;

    let unknown = retry(&gateway, "dlv-0197a4c2-0000-7000-8000-000000000000").await;
    let no_id = retry(&gateway, "7").await;

    assert_eq!((unknown, no_id), (409, 404));
}
