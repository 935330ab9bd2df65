//! An effect that may have happened is looked for before it is sent again (reference: delivery B5).

use std::time::Duration;

use referral_gateway::model::delivery::{Delivery, DeliveryState};
use referral_gateway::sandbox::clinic::{ClinicReferral, ConsentSays};
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, SearchIndex};
use serde_json::json;

use super::{only, sent, the_one, updates};
use crate::support::TestGateway;

const QUIET: Duration = Duration::from_secs(61);

async fn with_fault(misbehaviour: Misbehaviour) -> (TestGateway, ClinicReferral) {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(Fault::new(misbehaviour).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    (gateway, referral)
}

/// What was asked of lakeside after what it offers and its first write.
fn asked(gateway: &TestGateway) -> Vec<String> {
    let requests = gateway.lakeside().server().requests().into_iter().skip(2);
    requests.map(|it| it.path_and_query).collect()
}

fn search_for(gateway: &TestGateway, delivery: &Delivery) -> String {
    let system = format!("{}/fhir/effect", gateway.public_url()).replace(':', "%3A").replace('/', "%2F");
    format!("/fhir/Task?identifier={system}%7C{}&_count=3", delivery.id)
}

#[tokio::test]
async fn an_effect_whose_answer_was_lost_is_found_and_adopted() {
    let (gateway, _) = with_fault(Misbehaviour::ApplyThenDrop).await;
    let unknown = the_one(&gateway, DeliveryState::UnknownWait).await;
    gateway.after(Duration::from_secs(50)).await;
    assert_eq!(asked(&gateway), [""; 0]);

    gateway.after(QUIET).await;

    assert_eq!(asked(&gateway), [search_for(&gateway, &unknown)]);
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn an_adopted_effect_is_replaced_by_the_next_version() {
    let (gateway, referral) = with_fault(Misbehaviour::ApplyThenStatus(502)).await;
    gateway.after(QUIET).await;

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1"]);
}

#[tokio::test]
async fn an_effect_that_did_not_happen_is_sent_again() {
    let (gateway, _) = with_fault(Misbehaviour::DropBeforeApply).await;

    gateway.after(QUIET).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(sent(&gateway), ["POST Task", "POST Task"]);
}

#[tokio::test]
async fn a_server_that_hangs_after_it_took_the_update_has_it_once() {
    let (gateway, _) = with_fault(Misbehaviour::ApplyThenHang).await;

    gateway.after(QUIET).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(sent(&gateway), ["POST Task"]);
}

#[tokio::test]
async fn a_search_that_fails_sends_nothing() {
    let (gateway, _) = with_fault(Misbehaviour::ApplyThenDrop).await;
    gateway.lakeside().server().faults().push(Fault::status(500).on("GET", "Task"));

    gateway.after(QUIET).await;
    assert_eq!(sent(&gateway), ["POST Task"]);
    gateway.after(Duration::from_mins(5)).await;

    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_replacement_whose_answer_was_lost_is_found_too() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("PUT", ""));

    gateway.clinic().complete(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;

    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1"]);
    assert_eq!(only(&gateway, "Task")["meta"]["versionId"], "2");
}

#[tokio::test]
async fn a_report_whose_answer_was_lost_has_its_observations_once() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));

    gateway.clinic().report_results(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;

    only(&gateway, "DiagnosticReport");
    assert_eq!(gateway.lakeside().server().all("Observation").len(), 2);
}

#[tokio::test]
async fn two_resources_with_our_name_are_for_a_person_to_judge() {
    let (gateway, _) = with_fault(Misbehaviour::ApplyThenDrop).await;
    let mut twin = only(&gateway, "Task");
    twin.as_object_mut().unwrap().remove("id");
    gateway.lakeside().server().create(twin);

    gateway.after(QUIET).await;

    let quarantined = the_one(&gateway, DeliveryState::Quarantined).await;
    assert_eq!(quarantined.reason.as_deref(), Some("several-matches"));
    assert_eq!(sent(&gateway), ["POST Task"]);
}

#[tokio::test]
async fn a_slow_index_within_the_quiet_period_does_not_double() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().set_search_index(SearchIndex::Lagging);
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.after(Duration::from_secs(55)).await;
    gateway.lakeside().server().set_search_index(SearchIndex::Current);
    gateway.after(QUIET).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn consent_is_asked_before_an_effect_is_looked_for() {
    let (gateway, referral) = with_fault(Misbehaviour::ApplyThenDrop).await;

    gateway.clinic().record_consent(&referral, ConsentSays::Deny);
    gateway.after(QUIET).await;

    assert_eq!(asked(&gateway), [""; 0]);
    let held = the_one(&gateway, DeliveryState::Held).await;
    assert_eq!((held.reason.as_deref(), held.effect_unknown), (Some("provision-deny"), true));
}

#[tokio::test]
async fn after_a_restart_an_attempt_that_was_cut_off_is_looked_for() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.stop().await;
    let ledger = rusqlite::Connection::open(gateway.ledger()).unwrap();
    ledger
        .execute_batch(
            "UPDATE delivery SET state = 1, remote_reference = NULL WHERE share IS NOT NULL;
             UPDATE lane SET lease_until_ms = 1, lease_owner = 'only' WHERE endpoint <> '@clinic';",
        )
        .unwrap();
    drop(ledger);

    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(the_one(&gateway, DeliveryState::UnknownWait).await.reason.as_deref(), Some("interrupted"));
    gateway.after(QUIET).await;

    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_eq!(only(&gateway, "Task")["status"], json!("accepted"));
}
