//! A newer version takes the place of the older, and updates of a referral take effect in order.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::json;

use super::{only, referral_without_consent, sent, sent_to, updates};
use crate::support::TestGateway;

const LONG: Duration = Duration::from_mins(5);

#[tokio::test]
async fn a_second_version_replaces_the_first_under_its_etag() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    let task = only(&gateway, "Task");
    assert_eq!(task["status"], "completed");
    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1"]);
    assert_eq!(sent_to(gateway.lakeside())[1].header("if-match"), Some("W/\"1\""));
}

#[tokio::test]
async fn a_corrected_report_replaces_the_first_and_a_change_at_the_partner_does_not_stop_it() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut report = gateway.clinic().report_results(&referral);
    gateway.settle().await;
    gateway.lakeside().server().update(only(&gateway, "DiagnosticReport"));

    report["status"] = json!("corrected");
    gateway.clinic().server().update(report);
    gateway.settle().await;
    gateway.after(LONG).await;

    assert_eq!(only(&gateway, "DiagnosticReport")["status"], "corrected");
}

#[tokio::test]
async fn a_change_at_the_partner_is_read_and_replaced_under_its_new_version() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.lakeside().server().update(only(&gateway, "Task"));

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
    let conditions: Vec<_> =
        sent_to(gateway.lakeside()).iter().map(|it| it.header("if-match").map(str::to_owned)).collect();
    assert_eq!(conditions, [None, Some("W/\"1\"".to_owned()), Some("W/\"2\"".to_owned())]);
}

#[tokio::test]
async fn an_update_waits_for_the_one_before_it() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(Fault::status(429).on("POST", ""));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.clinic().send_message(&referral, "We took it on.");
    gateway.settle().await;
    assert_eq!(sent(&gateway), ["POST Task"]);
    gateway.after(LONG).await;

    assert_eq!(sent(&gateway), ["POST Task", "POST Task", "POST Communication"]);
}

#[tokio::test]
async fn a_newer_version_takes_the_place_of_one_that_was_never_tried() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.gateway().notice().await.unwrap();

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_eq!(only(&gateway, "Task")["status"], "completed");
    let states: Vec<DeliveryState> = updates(&gateway).await.iter().map(|it| it.state).collect();
    assert_eq!(states, [DeliveryState::Superseded, DeliveryState::Delivered]);
}

#[tokio::test]
async fn a_version_that_was_tried_is_not_overtaken() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop));
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.clinic().complete(&referral);
    gateway.settle().await;
    gateway.after(LONG).await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1"]);
}

#[tokio::test]
async fn a_version_with_an_unknown_effect_is_looked_for_even_if_consent_held_it_between() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.clinic().revoke_consent(&consent);
    gateway.after(LONG).await;

    gateway.clinic().complete(&referral);
    gateway.settle().await;
    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.after(LONG).await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
}
