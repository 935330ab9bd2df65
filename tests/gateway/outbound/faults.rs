//! What a partner's server answers, and what we make of it (reference: delivery B7).

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, FhirServer, FhirServerOptions, Misbehaviour};
use serde_json::{Value, json};

use super::{attempts, only, sent, the_one};
use crate::support::TestGateway;

const LONG: Duration = Duration::from_mins(5);

/// A gateway whose partner misbehaves at the first write of a Task.
async fn with_fault(fault: Fault) -> TestGateway {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(fault.on("POST", "Task"));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway
}

#[tokio::test]
async fn a_server_that_is_overloaded_gets_the_update_later_and_once() {
    for status in [409, 423, 429, 500, 502, 503, 504] {
        let gateway = with_fault(Fault::status(status)).await;
        assert!(gateway.deliveries(DeliveryState::Delivered).await.len() == 1, "only the referral itself");
        assert_eq!(sent(&gateway).len(), 1);

        gateway.after(LONG).await;

        assert_eq!(only(&gateway, "Task")["status"], "accepted");
        assert_eq!(sent(&gateway).len(), 2, "{status}");
    }
}

#[tokio::test]
async fn a_server_without_room_is_left_alone_for_an_hour() {
    let gateway = with_fault(Fault::status(507)).await;

    gateway.after(Duration::from_mins(59)).await;
    assert_eq!(sent(&gateway).len(), 1);
    gateway.after(Duration::from_mins(1)).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn what_a_server_does_not_support_is_tried_once_more_and_then_dead() {
    for status in [404, 405, 406, 415, 428, 501] {
        let gateway = with_fault(Fault::status(status)).await;
        gateway.lakeside().server().faults().push(Fault::status(status).on("POST", "Task"));

        gateway.after(LONG).await;

        let dead = the_one(&gateway, DeliveryState::Dead).await;
        assert_eq!(dead.reason.as_deref(), Some("not-supported"), "{status}");
        assert_eq!(sent(&gateway).len(), 2);
    }
}

#[tokio::test]
async fn retry_after_is_kept() {
    let gateway = with_fault(Fault::retry_after(429, "120")).await;

    gateway.after(Duration::from_secs(115)).await;
    let early = sent(&gateway).len();
    gateway.after(Duration::from_secs(10)).await;

    assert_eq!((early, sent(&gateway).len()), (1, 2));
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_strange_retry_after_does_not_park_an_update_for_years() {
    for strange in ["315360000", "garbage", "-5", "1e300", "Fri, 31 Dec 2055 23:59:59 GMT"] {
        let gateway = with_fault(Fault::retry_after(503, strange)).await;

        gateway.after(Duration::from_hours(7)).await;

        assert_eq!(only(&gateway, "Task")["status"], "accepted", "{strange}");
    }
}

#[tokio::test]
async fn a_refusal_is_dead_and_visible_and_the_next_update_goes_on() {
    for status in [400, 403, 410, 413, 422] {
        let gateway = with_fault(Fault::new(Misbehaviour::Status {
            status,
            retry_after: None,
            body: Some(json!({ "resourceType": "OperationOutcome", "issue": [{ "code": "invalid" }] })),
        }))
        .await;

        let dead = the_one(&gateway, DeliveryState::Dead).await;
        let attempt = attempts(&gateway, &dead).await.remove(0);
        gateway.after(LONG).await;
        let referral = gateway.clinic().referrals().remove(0);
        gateway.clinic().send_message(&referral, "We took it on.");
        gateway.settle().await;

        assert_eq!((dead.reason.as_deref(), attempt.http_status), (Some("status"), Some(status)));
        assert_eq!(sent(&gateway), ["POST Task", "POST Communication"]);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let elsewhere = FhirServer::start(FhirServerOptions::default()).await.unwrap();
        let location = format!("{}/Task", elsewhere.base_url());

        let gateway = with_fault(Fault::new(Misbehaviour::Redirect { status, location })).await;
        let waiting = the_one(&gateway, DeliveryState::RetryWait).await;
        gateway.after(LONG).await;

        assert!(elsewhere.requests().is_empty());
        assert_eq!((waiting.attempts, waiting.reason.as_deref()), (0, Some("status")));
        assert_eq!(only(&gateway, "Task")["status"], "accepted");
    }
}

#[tokio::test]
async fn an_answer_that_says_nothing_useful_is_not_taken_for_a_delivery() {
    let error =
        json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": "invalid" }] });
    let another = json!({ "resourceType": "Patient", "id": "7", "meta": { "versionId": "1" } });
    for answer in [Misbehaviour::Html, wrong(&json!({})), wrong(&error), wrong(&another)] {
        let gateway = with_fault(Fault::new(answer)).await;
        the_one(&gateway, DeliveryState::UnknownWait).await;

        gateway.after(LONG).await;

        assert_eq!(only(&gateway, "Task")["status"], "accepted");
    }
}

#[tokio::test]
async fn a_second_version_is_not_delivered_by_an_answer_that_says_nothing_useful() {
    let error =
        json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": "invalid" }] });
    for answer in [Misbehaviour::Html, wrong(&error), wrong(&json!({ "resourceType": "Task", "id": "77" }))] {
        let mut gateway = TestGateway::start().await;
        let referral = gateway.referral(1).await;
        gateway.clinic().accept(&referral);
        gateway.settle().await;

        gateway.lakeside().server().faults().push(Fault::new(answer).on("PUT", "Task"));
        gateway.clinic().complete(&referral);
        gateway.settle().await;
        gateway.after(LONG).await;

        assert_eq!(only(&gateway, "Task")["status"], "completed");
    }
}

fn wrong(content: &Value) -> Misbehaviour {
    Misbehaviour::WrongContent(content.clone())
}

#[tokio::test]
async fn a_server_that_is_down_costs_nothing_but_time() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().stop().await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let waiting = the_one(&gateway, DeliveryState::RetryWait).await;

    gateway.lakeside().server().restart().await.unwrap();
    gateway.after(LONG).await;

    assert_eq!(waiting.reason.as_deref(), Some("not-connected"));
    assert_eq!(sent(&gateway), ["POST Task"]);
}

#[tokio::test]
async fn an_update_is_given_up_after_its_deadline_and_stays_visible() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().always(Some(Fault::status(429)));
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.after(Duration::from_hours(169)).await;

    assert_eq!(the_one(&gateway, DeliveryState::Dead).await.reason.as_deref(), Some("status"));
}
