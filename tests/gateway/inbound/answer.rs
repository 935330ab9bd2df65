//! What a partner is told about its referral.

use referral_gateway::fhir::coding::{IDENTIFIER_TYPE, has_coding};
use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::support::{TestGateway, answered_task, part};

#[tokio::test]
async fn every_entry_of_a_bundle_is_answered_in_its_place_and_can_be_read_again() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let reply = gateway.send_bundle("lakeside", &bundle).await;

    assert_eq!((reply.status.as_u16(), &reply.body["type"]), (200, &Value::from("transaction-response")));
    let (sent, answered) = (bundle["entry"].as_array().unwrap(), reply.body["entry"].as_array().unwrap());
    assert_eq!((sent.len(), answered.len()), (11, 11));
    for (entry, answer) in sent.iter().zip(answered) {
        assert_eq!(answer["response"]["status"], "201 Created");
        let location = answer["response"]["location"].as_str().unwrap();
        let read = read(&gateway, location).await;
        assert_eq!(read.status, 200, "{location}: {}", read.body);
        assert_eq!(read.body["resourceType"], entry["resource"]["resourceType"]);
    }
    gateway.settle().await;
}

#[tokio::test]
async fn a_single_request_is_answered_with_the_addresses_of_its_order_and_its_task() {
    let mut gateway = TestGateway::start().await;
    let request = people::service_request(1, &ReferralOptions::default());

    let reply = gateway.send_service_request("lakeside", &request).await;

    assert_eq!(reply.status, 201);
    let order = read(&gateway, reply.headers["location"].to_str().unwrap()).await;
    assert_eq!((order.status.as_u16(), &order.body["identifier"]), (200, &request["identifier"]));
    let task = read(&gateway, reply.headers["content-location"].to_str().unwrap()).await;
    assert_eq!((task.status.as_u16(), task.body), (200, reply.body));
    assert_eq!(task.headers["etag"], "W/\"1\"");
    gateway.settle().await;
}

#[tokio::test]
async fn a_referral_without_a_task_of_its_own_is_answered_with_one_at_the_end() {
    let mut gateway = TestGateway::start().await;
    let mut bundle = people::referral(1, &ReferralOptions::default());
    bundle["entry"].as_array_mut().unwrap().pop();

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["entry"][10]["resource"]["resourceType"], "Task");
    assert_eq!(gateway.clinic().server().all("Task").len(), 1);
}

#[tokio::test]
async fn the_task_echoes_every_identifier_and_adds_ours() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let task = answered_task(&reply);
    let identifiers = task["identifier"].as_array().unwrap();
    for sent in ["ServiceRequest", "Task"].map(|it| &part(&bundle, it)["identifier"][0]) {
        let echoed = identifiers.iter().find(|it| it["value"] == sent["value"]).unwrap();
        assert_eq!(echoed["system"], sent["system"]);
        assert!(has_coding(&echoed["type"], IDENTIFIER_TYPE, "PLAC"), "{echoed}");
    }
    let ours = identifiers.iter().find(|it| it["value"] == task["id"]).unwrap();
    assert!(has_coding(&ours["type"], IDENTIFIER_TYPE, "FILL"), "{ours}");
}

#[tokio::test]
async fn once_the_clinic_has_it_the_task_tells_the_ids_there() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    let found = gateway.lakeside().get("Task").await.unwrap();

    let outputs = found.body["entry"][0]["resource"]["output"].as_array().unwrap();
    let values: Vec<&Value> = outputs.iter().map(|it| &it["valueIdentifier"]["value"]).collect();
    assert_eq!(values, [referral.service_request.as_str(), referral.task.as_str()]);
}

/// Reads an address that the gateway gave.
async fn read(gateway: &TestGateway, address: &str) -> Reply {
    let base = format!("{}/fhir/", gateway.public_url());
    let path = address.strip_prefix(&base).expect("it is an address of the gateway");
    gateway.lakeside().get(path).await.unwrap()
}
