//! Each reading is a disclosure of its own: what consent does not release is as if it were not there.

use referral_gateway::sandbox::clinic::{ClinicReferral, ConsentSays};
use referral_gateway::sandbox::fhir_server::Fault;
use serde_json::{Value, json};

use super::{attempts, referral_of, updates};
use crate::support::{Options, TestGateway};

async fn with_a_message() -> (TestGateway, ClinicReferral) {
    let partners = vec!["lakeside", "northside"];
    let mut gateway = TestGateway::with(Options { mode: "inbox", partners, ..Options::default() }).await;
    let referral = referral_of(&mut gateway, "lakeside", 1).await;
    gateway.clinic().send_message(&referral, "Please send the latest ECG.");
    gateway.settle().await;
    (gateway, referral)
}

async fn read(gateway: &TestGateway, path: &str) -> (u16, Value) {
    let mut reply = gateway.lakeside().get(path).await.unwrap();
    // The only thing that differs from one refusal to the next.
    reply.body.as_object_mut().unwrap().remove("id");
    (reply.status.as_u16(), reply.body)
}

async fn hosted_id(gateway: &TestGateway) -> String {
    let (_, list) = read(gateway, "Communication").await;
    list["entry"][0]["resource"]["id"].as_str().unwrap().to_owned()
}

fn without_request_id(refusal: &Value) -> String {
    let text = refusal.to_string();
    text.split("req-").next().unwrap().to_owned()
}

#[tokio::test]
async fn after_a_revocation_the_list_is_empty_and_the_id_is_unknown() {
    let (gateway, referral) = with_a_message().await;
    let id = hosted_id(&gateway).await;
    let (_, nothing) = read(&gateway, "CarePlan").await;
    let unknown = read(&gateway, "Communication/upd-00000000000000000000000000000000").await;

    gateway.clinic().revoke_consents(&referral);

    let (status, list) = read(&gateway, "Communication").await;
    let gone = read(&gateway, &format!("Communication/{id}")).await;
    assert_eq!((status, list), (200, nothing));
    assert_eq!((gone.0, without_request_id(&gone.1)), (404, without_request_id(&unknown.1)));
}

#[tokio::test]
async fn what_is_not_released_is_not_on_record_as_read() {
    let (gateway, referral) = with_a_message().await;
    gateway.clinic().record_consent(&referral, ConsentSays::Deny);

    read(&gateway, "Communication").await;

    let waiting = updates(&gateway).await.remove(0);
    let outcomes: Vec<_> = attempts(&gateway, &waiting).await.into_iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Some("in-inbox".to_owned())]);
}

#[tokio::test]
async fn a_consent_that_comes_back_shows_the_update_again_under_its_id() {
    let (gateway, referral) = with_a_message().await;
    let id = hosted_id(&gateway).await;
    gateway.clinic().revoke_consents(&referral);
    assert_eq!(read(&gateway, &format!("Communication/{id}")).await.0, 404);

    gateway.clinic().record_consent(&referral, ConsentSays::Permit);

    assert_eq!(hosted_id(&gateway).await, id);
}

#[tokio::test]
async fn consents_that_cannot_be_read_release_nothing() {
    let (gateway, _) = with_a_message().await;
    gateway.clinic().server().faults().push(Fault::status(500).on("GET", "Consent"));

    let (status, list) = read(&gateway, "Communication").await;

    assert_eq!((status, &list["total"]), (200, &json!(0)));
}

#[tokio::test]
async fn a_labelled_note_is_not_there() {
    let (gateway, referral) = with_a_message().await;

    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.settle().await;

    assert_eq!(read(&gateway, "DocumentReference").await.1["total"], 0);
}

#[tokio::test]
async fn the_task_without_consent_is_exactly_the_receipt() {
    let (gateway, referral) = with_a_message().await;
    let id = updates(&gateway).await[0].referral;
    let receipt = read(&gateway, &format!("Task/{id}")).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    assert_eq!(read(&gateway, &format!("Task/{id}")).await.1["status"], "accepted");

    gateway.clinic().revoke_consents(&referral);

    assert_eq!(read(&gateway, &format!("Task/{id}")).await, receipt);
    assert_eq!(read(&gateway, "Task").await.1["entry"][0]["resource"]["status"], "requested");
}

#[tokio::test]
async fn another_partner_sees_nothing() {
    let (gateway, _) = with_a_message().await;
    let id = hosted_id(&gateway).await;

    let list = gateway.partner("northside").get("Communication").await.unwrap();
    let item = gateway.partner("northside").get(&format!("Communication/{id}")).await.unwrap();

    assert_eq!((list.status.as_u16(), &list.body["total"]), (200, &json!(0)));
    assert_eq!(item.status, 404);
}

#[tokio::test]
async fn nothing_is_ever_sent_to_the_partners_server() {
    let (gateway, referral) = with_a_message().await;
    gateway.clinic().schedule(&referral);
    gateway.clinic().report_results(&referral);
    gateway.clinic().complete(&referral);

    gateway.after(std::time::Duration::from_hours(24)).await;
    hosted_id(&gateway).await;

    assert!(gateway.lakeside().server().requests().is_empty());
}
