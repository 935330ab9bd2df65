//! The same referral again is the same referral.

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Map, Value, json};

use crate::support::{Options, TestGateway, answered_task, assert_refused, part_mut};

#[tokio::test]
async fn the_same_bundle_again_gets_the_same_answer_and_reaches_the_clinic_once() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let first = gateway.send_bundle("lakeside", &bundle).await;
    let second = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!((second.status, &second.body), (first.status, &first.body));
    assert_eq!((replayed(&first), replayed(&second)), (false, true));
    assert_eq!(gateway.clinic().referrals().len(), 1);
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn a_single_request_is_known_again_after_it_has_reached_the_clinic() {
    let mut gateway = TestGateway::start().await;
    let request = people::service_request(1, &ReferralOptions::default());

    let first = gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;
    let second = gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;

    assert_eq!((second.status.as_u16(), replayed(&second)), (201, true));
    for header in ["location", "content-location"] {
        assert_eq!(second.headers[header], first.headers[header]);
    }
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn the_same_identifier_with_another_content_is_refused_and_not_stored() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let mut other = bundle.clone();
    part_mut(&mut other, "ServiceRequest")["priority"] = json!("stat");
    gateway.send_bundle("lakeside", &bundle).await;

    let refused = gateway.send_bundle("lakeside", &other).await;
    gateway.settle().await;

    assert_refused(&refused, 422, "SEND_DUPLICATE");
    assert_eq!((gateway.rows("referral"), gateway.rows("payload"), gateway.rows("delivery")), (1, 1, 1));
    assert_ne!(gateway.clinic().server().all("ServiceRequest")[0]["priority"], "stat");
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_content() {
    let mut gateway = TestGateway::start().await;
    let (one, other) = (nameless(1), nameless(2));

    let first = send_with(&mut gateway, "idempotency-key", "\"key-1\"", &one).await;
    let refused = send_with(&mut gateway, "idempotency-key", "key-1", &other).await;
    let again = send_with(&mut gateway, "idempotency-key", "key-1", &one).await;
    gateway.settle().await;

    assert_refused(&refused, 422, "SEND_DUPLICATE");
    assert_eq!(answered_task(&again)["id"], answered_task(&first)["id"]);
    assert!(replayed(&again));
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn a_new_idempotency_key_makes_a_known_identifier_no_new_referral() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let first = send_with(&mut gateway, "idempotency-key", "key-1", &bundle).await;
    let second = send_with(&mut gateway, "idempotency-key", "key-2", &bundle).await;
    gateway.settle().await;

    assert_eq!(answered_task(&second)["id"], answered_task(&first)["id"]);
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn an_unusable_idempotency_key_is_refused() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    for key in ["", "\"\"", "   ", &"k".repeat(513)] {
        let refused = send_with(&mut gateway, "idempotency-key", key, &bundle).await;

        assert_refused(&refused, 400, "SEND_KEY");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn if_none_exist_is_a_key_as_header_and_in_the_entry_alike() {
    let mut gateway = TestGateway::start().await;
    let condition = "identifier=https://lakeside.example|1";
    let mut in_entry = nameless(1);
    in_entry["entry"][9]["request"]["ifNoneExist"] = json!(condition);

    let first = gateway.send_bundle("lakeside", &in_entry).await;
    let again = send_with(&mut gateway, "if-none-exist", condition, &in_entry).await;
    let refused = send_with(&mut gateway, "if-none-exist", condition, &nameless(2)).await;
    gateway.settle().await;

    assert_eq!((first.status.as_u16(), replayed(&again)), (200, true));
    assert_refused(&refused, 422, "SEND_DUPLICATE");
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn where_nothing_is_named_the_content_is_the_key() {
    let mut gateway = TestGateway::start().await;
    let mut changed = nameless(1);
    part_mut(&mut changed, "ServiceRequest")["authoredOn"] = json!("2026-03-02T09:31:00Z");

    gateway.send_bundle("lakeside", &nameless(1)).await;
    let again = gateway.send_bundle("lakeside", &nameless(1)).await;
    let other = gateway.send_bundle("lakeside", &changed).await;
    gateway.settle().await;

    assert_eq!((replayed(&again), replayed(&other)), (true, false));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (2, 2));
}

#[tokio::test]
async fn the_order_of_keys_and_white_space_make_no_other_content() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    gateway.send_bundle("lakeside", &bundle).await;
    let again = gateway.send_bytes(serde_json::to_vec_pretty(&turned_round(&bundle)).unwrap()).await;
    gateway.settle().await;

    assert_eq!((again.status.as_u16(), replayed(&again)), (200, true), "{}", again.body);
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn two_partners_may_use_the_same_identifier() {
    let options = Options { partners: vec!["lakeside", "hillside"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let one = gateway.send_bundle("lakeside", &bundle).await;
    let other = gateway.send_bundle("hillside", &bundle).await;
    gateway.settle().await;

    assert_ne!(answered_task(&one)["id"], answered_task(&other)["id"]);
    assert!(!replayed(&other));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (2, 2));
}

fn replayed(reply: &Reply) -> bool {
    reply.headers.get("idempotency-replayed").is_some_and(|it| it == "true")
}

/// A referral whose order and Task have no identifier.
fn nameless(seed: u64) -> Value {
    let mut bundle = people::referral(seed, &ReferralOptions::default());
    for resource_type in ["ServiceRequest", "Task"] {
        part_mut(&mut bundle, resource_type).as_object_mut().unwrap().remove("identifier");
    }
    bundle
}

async fn send_with(gateway: &mut TestGateway, name: &str, value: &str, bundle: &Value) -> Reply {
    gateway.watch_for(bundle);
    gateway.lakeside_calls("POST", "/fhir").await.header(name, value).fhir(bundle.to_string()).send().await
}

/// The same content with the keys of every object in the opposite order.
fn turned_round(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let keys = map.iter().rev().map(|(key, child)| (key.clone(), turned_round(child)));
            Value::Object(keys.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(turned_round).collect(),
        other => other.clone(),
    }
}
