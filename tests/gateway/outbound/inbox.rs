//! A partner without a server of its own reads its updates from us.

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::{Value, json};

use super::{attempts, elements, number, updates};
use crate::support::{Options, TestGateway};

async fn with_inbox() -> (TestGateway, ClinicReferral) {
    let mut gateway = TestGateway::with(Options { mode: "inbox", ..Options::default() }).await;
    let referral = gateway.referral(1).await;
    (gateway, referral)
}

async fn get(gateway: &TestGateway, path: &str) -> Reply {
    gateway.lakeside().get(path).await.unwrap()
}

fn found(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let entries = reply.body["entry"].as_array().unwrap().iter();
    entries.map(|it| it["resource"].clone()).collect()
}

#[tokio::test]
async fn a_message_waits_to_be_read_and_nothing_is_pushed() {
    let (gateway, referral) = with_inbox().await;

    gateway.clinic().send_message(&referral, "Please send the latest ECG.");
    gateway.settle().await;

    let messages = found(&get(&gateway, "Communication").await);
    assert_eq!(messages.len(), 1);
    let expected = ["basedOn", "payload", "sender", "sent", "status", "subject"];
    assert_eq!(elements(&messages[0]), expected);
    assert_eq!(messages[0]["payload"][0]["contentString"], "Please send the latest ECG.");
    assert!(gateway.lakeside().server().requests().is_empty());
}

#[tokio::test]
async fn every_reference_of_an_update_can_be_read_here() {
    let (gateway, referral) = with_inbox().await;
    gateway.clinic().schedule(&referral);
    gateway.settle().await;

    let appointment = found(&get(&gateway, "Appointment").await).remove(0);

    let order = appointment["basedOn"][0]["reference"].as_str().unwrap();
    let patient = appointment["participant"][0]["actor"]["reference"].as_str().unwrap();
    assert_eq!(get(&gateway, order).await.body["identifier"][0]["value"], number(1, "ServiceRequest"));
    assert_eq!(get(&gateway, patient).await.body["identifier"][0]["value"], number(1, "Patient"));
    assert!(!appointment.to_string().contains(gateway.clinic().server().base_url()));
}

#[tokio::test]
async fn a_report_contains_its_observations() {
    let (gateway, referral) = with_inbox().await;
    gateway.clinic().report_results(&referral);
    gateway.settle().await;

    let report = found(&get(&gateway, "DiagnosticReport").await).remove(0);

    let contained = report["contained"].as_array().unwrap();
    assert_eq!(contained.len(), 2);
    for (result, observation) in report["result"].as_array().unwrap().iter().zip(contained) {
        assert_eq!(result["reference"], format!("#{}", observation["id"].as_str().unwrap()));
        assert!(observation["valueQuantity"]["value"].is_number());
    }
}

#[tokio::test]
async fn the_id_of_an_update_stays_the_same_over_its_versions() {
    let (gateway, referral) = with_inbox().await;
    let appointment = gateway.clinic().schedule(&referral);
    gateway.settle().await;
    let first = found(&get(&gateway, "Appointment").await).remove(0);

    gateway.clinic().cancel_appointment(&referral, &appointment);
    gateway.settle().await;

    let again = get(&gateway, &format!("Appointment/{}", first["id"].as_str().unwrap())).await;
    assert_eq!((&first["status"], &again.body["status"]), (&json!("booked"), &json!("cancelled")));
    assert_ne!(first["meta"]["versionId"], again.body["meta"]["versionId"]);
    assert_eq!(found(&get(&gateway, "Appointment").await).len(), 1);
}

#[tokio::test]
async fn updates_can_be_asked_for_by_their_referral() {
    let (mut gateway, first) = with_inbox().await;
    let second = gateway.referral(2).await;
    gateway.clinic().send_message(&first, "The first message.");
    gateway.clinic().send_message(&second, "The second message.");
    gateway.settle().await;
    let second_id = updates(&gateway).await[1].referral;

    let all = found(&get(&gateway, "Communication").await);
    let of_second =
        found(&get(&gateway, &format!("Communication?based-on=ServiceRequest/{second_id}")).await);

    assert_eq!(all.len(), 2);
    assert_eq!(of_second.len(), 1);
    assert_eq!(of_second[0]["payload"][0]["contentString"], "The second message.");
}

#[tokio::test]
async fn a_reading_is_on_record() {
    let (gateway, referral) = with_inbox().await;
    gateway.clinic().send_message(&referral, "Please call us back.");
    gateway.settle().await;

    get(&gateway, "Communication").await;

    let read = updates(&gateway).await.remove(0);
    let last = attempts(&gateway, &read).await.pop().unwrap();
    assert_eq!(last.outcome.as_deref(), Some("collected"));
    assert_eq!(last.decision.as_deref(), Some("permit by provision-permit"));
    assert_eq!(last.consents.len(), 1);
    assert_eq!(read.state.word(), "delivered");
}

#[tokio::test]
async fn the_task_shows_how_far_the_clinic_is() {
    let (gateway, referral) = with_inbox().await;
    let (_, id) = gateway_id(&gateway).await;
    gateway.clinic().schedule(&referral);
    gateway.settle().await;

    let task = get(&gateway, &format!("Task/{id}")).await.body;

    assert_eq!(task["status"], "in-progress");
    assert_eq!(task["businessStatus"]["text"], "Visit scheduled");
    assert_eq!(task["id"], id);
}

async fn gateway_id(gateway: &TestGateway) -> (usize, String) {
    let tasks = found(&get(gateway, "Task").await);
    (tasks.len(), tasks[0]["id"].as_str().unwrap().to_owned())
}
