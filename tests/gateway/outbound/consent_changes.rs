//! Consent is asked inside every attempt, so a change counts from the next one on.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;
use referral_gateway::sandbox::fhir_server::Fault;
use serde_json::json;

use super::{attempts, only, referral_without_consent, sent, the_one};
use crate::support::TestGateway;

/// How often the gate asked for a patient's Consents: at each attempt, and once more after a delivery. The
/// watcher's own reading names no patient.
fn questions(gateway: &TestGateway) -> usize {
    let requests = gateway.clinic().server().requests();
    requests.iter().filter(|it| it.path_and_query.starts_with("/fhir/Consent?patient=")).count()
}

#[tokio::test]
async fn what_was_held_goes_by_itself_once_consent_is_recorded() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    assert_eq!(sent(&gateway), [""; 0]);

    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_psychotherapy_note_stays_under_a_consent_that_does_not_name_it() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.settle().await;

    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.settle().await;

    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("sensitivity-not-named"));
    assert_eq!(sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn a_revocation_stops_what_waits_for_another_attempt() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.lakeside().server().faults().push(Fault::status(429).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let before = gateway.lakeside().server().requests().len();

    gateway.clinic().revoke_consent(&consent);
    gateway.after(Duration::from_hours(1)).await;

    // What the server offers, and the one try.
    assert_eq!((before, gateway.lakeside().server().requests().len()), (2, 2));
    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("no-consent"));
}

#[tokio::test]
async fn a_revocation_that_was_not_noticed_yet_counts_all_the_same() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.gateway().notice().await.unwrap();

    gateway.clinic().revoke_consents(&referral);
    gateway.gateway().run_work().await.unwrap();

    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("no-consent"));
    assert!(gateway.lakeside().server().requests().is_empty());
}

#[tokio::test]
async fn consent_is_asked_at_each_attempt_and_each_decision_is_on_record() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    for _ in 0..2 {
        gateway.lakeside().server().faults().push(Fault::status(429).on("POST", ""));
    }

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.after(Duration::from_mins(1)).await;
    gateway.after(Duration::from_mins(5)).await;

    assert_eq!(sent(&gateway).len(), 3);
    assert_eq!(questions(&gateway), 4);
    let delivered = super::updates(&gateway).await.remove(0);
    let last = attempts(&gateway, &delivered).await.pop().unwrap();
    assert_eq!(last.decision.as_deref(), Some("permit by provision-permit"));
    assert_eq!(last.consents.len(), 1);
}

#[tokio::test]
async fn what_is_held_is_decided_again_after_a_while_without_a_notice() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let mut consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    consent["provision"]["period"] = json!({ "start": "2026-03-10T15:20:00Z" });
    gateway.clinic().server().update(consent);
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.after(Duration::from_mins(10)).await;
    assert_eq!(sent(&gateway), [""; 0]);
    gateway.after(Duration::from_mins(15)).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(questions(&gateway), 4);
}
