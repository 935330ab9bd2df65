//! Messages about a referral that we have.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::communication;
use crate::support::{Options, TestGateway, part_mut};

const COW: &str = "http://hl7.org/fhir/uv/cow/CodeSystem/temp";
const BARS: &str = "https://fhir.nhs.uk/CodeSystem/message-events-bars";

async fn with_dialect(dialect: &'static str) -> TestGateway {
    let options = Options { partner_heads: [("lakeside", dialect)].into(), ..Options::default() };
    TestGateway::with(options).await
}

fn later(event: (&str, &str), about: &str) -> Value {
    let mut message = people::message(1, &ReferralOptions::default(), event, about);
    message["id"] = json!("message-2");
    message["entry"][0]["resource"]["id"] = json!("header-2");
    message
}

fn answer(reply: &referral_gateway::sandbox::gateway_client::Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["entry"][0]["resource"]["response"]["code"])
}

#[tokio::test]
async fn an_update_of_an_order_cancels_it_or_brings_what_was_missing() {
    let mut gateway = with_dialect("dialect = \"cow\"").await;
    let new = people::message(1, &ReferralOptions::default(), (COW, "new-order"), "Task");
    gateway.send_message(&new).await;
    gateway.settle().await;
    let mut brings = later((COW, "order-update"), "Task");
    let order = brings["entry"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["resource"]["resourceType"] == "ServiceRequest")
        .unwrap()["fullUrl"]
        .clone();
    brings["entry"].as_array_mut().unwrap()
        .push(json!({ "fullUrl": "urn:uuid:5b1f6f7e-0000-4000-8000-000000000001", "resource": communication(order.as_str().unwrap()) }));

    let brought = gateway.send_message(&brings).await;
    gateway.settle().await;
    let again = gateway.send_message(&brings).await;
    gateway.settle().await;
    let mut stops = later((COW, "order-update"), "Task");
    stops["id"] = json!("message-3");
    part_mut(&mut stops, "Task")["status"] = json!("cancelled");
    let stopped = gateway.send_message(&stops).await;
    gateway.settle().await;

    assert_eq!(answer(&brought), (200, &json!("ok")), "{}", brought.body);
    assert_eq!(answer(&again), (200, &json!("ok")));
    let there = gateway.clinic().server().all("Communication");
    assert_eq!(there.len(), 1);
    let known = gateway.clinic().referrals().remove(0);
    assert_eq!(there[0]["basedOn"][0]["reference"], known.service_request);
    assert_eq!(answer(&stopped), (200, &json!("ok")), "{}", stopped.body);
    assert_eq!(gateway.clinic().server().all("Task")[0]["status"], "cancelled");
}

#[tokio::test]
async fn an_order_that_is_revoked_is_stopped_and_one_that_nobody_knows_is_not() {
    let mut gateway = with_dialect("dialect = \"bars\"").await;
    let event = (BARS, "servicerequest-request");
    let new = people::message(1, &ReferralOptions::default(), event, "ServiceRequest");
    gateway.send_message(&new).await;
    gateway.settle().await;
    let mut revoked = later(event, "ServiceRequest");
    part_mut(&mut revoked, "ServiceRequest")["status"] = json!("revoked");

    let reply = gateway.send_message(&revoked).await;
    gateway.settle().await;

    assert_eq!(answer(&reply), (200, &json!("ok")), "{}", reply.body);
    assert_eq!(gateway.clinic().server().all("Task")[0]["status"], "cancelled");
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn an_update_of_an_order_that_was_never_sent_is_a_fatal_error() {
    let mut gateway = with_dialect("dialect = \"cow\"").await;

    let reply = gateway.send_message(&later((COW, "order-update"), "Task")).await;

    assert_eq!(answer(&reply), (422, &json!("fatal-error")), "{}", reply.body);
    let outcome = crate::support::part(&reply.body, "OperationOutcome");
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], "SEND_REPLY_UNKNOWN");
    assert_eq!(gateway.clinic().referrals().len(), 0);
}
