//! The partner gets an update in its own terms: its identifiers, its codes.

use serde_json::Value;

use super::{number, only};
use crate::support::TestGateway;

const STAGES: &str = "https://clinic.example/fhir/CodeSystem/referral-stage";
const COW: &str = "http://hl7.org/fhir/uv/cow/CodeSystem/temp";

fn of_type(task: &Value, code: &str) -> Vec<Value> {
    let identifiers = task["identifier"].as_array().unwrap().iter();
    let typed = identifiers.filter(|it| it["type"]["coding"][0]["code"] == code);
    typed.map(|it| it["value"].clone()).collect()
}

#[tokio::test]
async fn the_task_carries_every_identifier_of_the_placer_and_ours() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let task = only(&gateway, "Task");
    let order = number(1, "ServiceRequest");
    let placer_task = number(1, "Task");
    let delivered = &super::updates(&gateway).await[0];
    assert_eq!(of_type(&task, "PLAC"), [order, placer_task]);
    let ours = of_type(&task, "FILL");
    assert!(ours.contains(&Value::from(delivered.referral.to_string())), "{ours:?}");
    assert!(ours.contains(&Value::from(delivered.id.to_string())), "{ours:?}");
}

#[tokio::test]
async fn a_code_of_the_clinic_stays_and_the_partners_stands_behind_it() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().schedule(&referral);
    gateway.settle().await;

    let stage = &only(&gateway, "Task")["businessStatus"]["coding"];
    assert_eq!((&stage[0]["system"], &stage[0]["code"]), (&STAGES.into(), &"visit-scheduled".into()));
    assert_eq!((&stage[1]["system"], &stage[1]["code"]), (&COW.into(), &"visit-scheduled".into()));
}

#[tokio::test]
async fn our_own_write_at_the_clinic_is_not_echoed() {
    let mut gateway = TestGateway::start().await;

    gateway.referral(1).await;
    gateway.after(std::time::Duration::from_hours(1)).await;

    assert_eq!(super::sent(&gateway), [""; 0]);
    assert!(super::updates(&gateway).await.is_empty());
}

#[tokio::test]
async fn what_says_more_than_we_understand_goes_to_a_person_and_not_to_the_partner() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut message = gateway.clinic().send_message(&referral, "This is not true.");
    message["modifierExtension"] = serde_json::json!([{ "url": "urn:not", "valueBoolean": true }]);
    gateway.clinic().server().update(message);

    gateway.settle().await;

    let dead = super::the_one(&gateway, referral_gateway::model::delivery::DeliveryState::Dead).await;
    assert_eq!(dead.reason.as_deref(), Some("not-understood"));
    assert_eq!(super::sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn what_is_not_valid_goes_to_nobody_until_the_clinic_mends_it() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let message = gateway.clinic().send_message(&referral, "Please call us.");
    let mut broken = message.clone();
    broken["status"] = serde_json::json!("sent");
    gateway.clinic().server().update(broken);
    gateway.settle().await;
    let dead = super::the_one(&gateway, referral_gateway::model::delivery::DeliveryState::Dead).await;
    let sent_while_broken = super::sent(&gateway).len();

    gateway.clinic().server().update(message);
    gateway.settle().await;

    assert_eq!(dead.reason.as_deref(), Some("not-valid"));
    assert_eq!(sent_while_broken, 0);
    assert_eq!(only(&gateway, "Communication")["payload"][0]["contentString"], "Please call us.");
}
