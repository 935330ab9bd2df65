//! What a partner reads again of what it sent is what it sent.

use referral_gateway::fhir::reference;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::support::{TestGateway, answered_task, elsewhere, part};

#[tokio::test]
async fn the_order_of_a_bundle_is_hosted_unchanged_but_for_its_address_and_those_it_names() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let hosted = gateway.lakeside().get(&order_of(&reply.body)).await.unwrap().body;

    assert_eq!(elsewhere(&hosted), elsewhere(part(&bundle, "ServiceRequest")));
    assert_eq!((&hosted["intent"], hosted.get("basedOn")), (&Value::from("order"), None));
}

#[tokio::test]
async fn every_address_in_a_hosted_order_can_be_read() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let hosted = gateway.lakeside().get(&order_of(&reply.body)).await.unwrap().body;

    let mut addresses = Vec::new();
    reference::for_each(&hosted, "ServiceRequest", &mut |_, it| {
        addresses.push(it["reference"].as_str().unwrap().to_owned());
    });
    assert_eq!(addresses.len(), 7);
    for address in addresses {
        assert_eq!(gateway.lakeside().get(&address).await.unwrap().status, 200, "{address}");
    }
}

#[tokio::test]
async fn a_single_order_is_hosted_with_what_it_contains() {
    let mut gateway = TestGateway::start().await;
    let request = people::service_request(1, &ReferralOptions::default());
    let reply = gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;

    let hosted = gateway.lakeside().get(&order_of(&reply.body)).await.unwrap().body;

    assert_eq!(hosted["contained"], request["contained"]);
    assert_eq!(elsewhere(&hosted), elsewhere(&request));
}

#[tokio::test]
async fn a_letter_comes_back_to_the_byte() {
    let mut gateway = TestGateway::start().await;
    let options = ReferralOptions { letter_bytes: 300_000, ..ReferralOptions::default() };
    let bundle = people::referral(1, &options);
    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let id = answered_task(&reply)["id"].as_str().unwrap();
    let letter = gateway.lakeside().get(&format!("DocumentReference/{id}-7")).await.unwrap().body;

    assert_eq!(letter["content"], part(&bundle, "DocumentReference")["content"]);
}

fn order_of(answer: &Value) -> String {
    let task = if answer["resourceType"] == "Task" { answer } else { part(answer, "Task") };
    task["focus"]["reference"].as_str().unwrap().to_owned()
}
