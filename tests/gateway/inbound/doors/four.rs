//! The same referral by every door.

use std::collections::HashMap;

use referral_gateway::fhir::resource::{canonical, id, resource_type};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use super::{message, referral, replayed, service_request};
use crate::support::{TestGateway, answered_task, part};

const TYPES: [&str; 12] = [
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Coverage",
    "Condition",
    "Observation",
    "DocumentReference",
    "Consent",
    "ServiceRequest",
    "Task",
    "Provenance",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Transaction,
    ServiceRequest,
    PulledOrder,
    PulledTask,
    ContainedTask,
    Message,
}

const DOORS: [Door; 6] = [
    Door::Transaction,
    Door::ServiceRequest,
    Door::PulledOrder,
    Door::PulledTask,
    Door::ContainedTask,
    Door::Message,
];

#[tokio::test]
async fn the_same_referral_by_any_door_becomes_the_same_resources_at_the_clinic() {
    let mut records = Vec::new();
    for door in DOORS {
        let mut gateway = TestGateway::start().await;
        let referral = send(&mut gateway, door, 1).await.0;
        gateway.settle().await;
        records.push(record(&gateway, &referral, door));
    }

    for (door, record) in DOORS.iter().zip(&records) {
        assert!(record.len() > 12, "{door:?}");
        for (resource, first) in record.iter().zip(&records[0]) {
            assert_eq!(resource, first, "{door:?}");
        }
        assert_eq!(record.len(), records[0].len(), "{door:?}");
    }
}

#[tokio::test]
async fn the_same_referral_by_two_doors_is_one_and_the_second_is_answered_with_the_first() {
    for first in DOORS {
        let mut gateway = TestGateway::start().await;
        let (referral, was_known) = send(&mut gateway, first, 1).await;
        assert!(!was_known);

        for second in DOORS {
            assert_eq!(send(&mut gateway, second, 1).await, (referral.clone(), true), "{first:?} {second:?}");
        }
        gateway.settle().await;

        assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (1, 1), "{first:?}");
    }
}

#[tokio::test]
async fn another_content_under_the_same_number_is_refused_at_every_door() {
    for first in DOORS {
        let mut gateway = TestGateway::start().await;
        send(&mut gateway, first, 1).await;
        let mut other = referral(1);
        crate::support::part_mut(&mut other, "ServiceRequest")["priority"] = "stat".into();

        let refused = gateway.send_bundle("lakeside", &other).await;
        gateway.settle().await;

        crate::support::assert_refused(&refused, 422, "SEND_DUPLICATE");
        assert_eq!(gateway.rows("referral"), 1, "{first:?}");
    }
}

#[tokio::test]
async fn what_a_transaction_is_told_of_a_referral_that_came_by_another_door_can_be_read() {
    let mut gateway = TestGateway::start().await;
    gateway.send_service_request("lakeside", &service_request(1)).await;

    let reply = gateway.send_bundle("lakeside", &referral(1)).await;
    gateway.settle().await;

    let base = format!("{}/fhir/", gateway.public_url());
    let bundle = referral(1);
    let sent = bundle["entry"].as_array().unwrap().iter().map(|it| &it["resource"]);
    for (answer, sent) in reply.body["entry"].as_array().unwrap().iter().zip(sent) {
        let location = answer["response"]["location"].as_str().unwrap();
        let read = gateway.lakeside().get(location.strip_prefix(&base).unwrap()).await.unwrap();
        assert_eq!(read.body["resourceType"], sent["resourceType"]);
        if sent["resourceType"] != "Task" {
            assert_eq!(read.body["identifier"], sent["identifier"], "{location}");
        }
    }
}

/// The id of the referral, and whether it was known.
async fn send(gateway: &mut TestGateway, door: Door, seed: u64) -> (String, bool) {
    let reply = match door {
        Door::Transaction => gateway.send_bundle("lakeside", &referral(seed)).await,
        Door::ServiceRequest => gateway.send_service_request("lakeside", &service_request(seed)).await,
        Door::PulledOrder => {
            gateway.keep_at_lakeside(&referral(seed));
            let order = gateway.lakeside().server().all("ServiceRequest").remove(0);
            gateway.send_service_request("lakeside", &order).await
        }
        Door::PulledTask => {
            let task = gateway.keep_at_lakeside(&referral(seed));
            gateway.send_task(&task).await
        }
        Door::ContainedTask => gateway.send_task(&people::task(seed, &ReferralOptions::default())).await,
        Door::Message => gateway.send_message(&message(seed)).await,
    };
    assert!(reply.status.is_success(), "{door:?}: {}", reply.body);
    let id = if door == Door::Message { id(part(&reply.body, "Task")) } else { id(answered_task(&reply)) };
    (id.to_owned(), replayed(&reply))
}

/// Everything at the clinic, without what the gateway, the server and the door add, and with the names of what is
/// referred to in place of addresses.
fn record(gateway: &TestGateway, referral: &str, door: Door) -> Vec<String> {
    let server = gateway.clinic().server();
    let all: Vec<Value> = TYPES.iter().flat_map(|it| server.all(it)).collect();
    let names: HashMap<String, String> =
        all.iter().map(|it| (format!("{}/{}", resource_type(it), id(it)), name(it))).collect();
    let mut texts: Vec<String> =
        all.into_iter().map(|it| text(gateway, it, &names, (referral, door))).collect();
    texts.sort();
    texts
}

fn text(
    gateway: &TestGateway,
    mut resource: Value,
    names: &HashMap<String, String>,
    (referral, door): (&str, Door),
) -> String {
    let ours = gateway.public_url();
    let map = resource.as_object_mut().unwrap();
    map.remove("id");
    map.remove("meta");
    if let Some(identifiers) = map.get_mut("identifier").and_then(Value::as_array_mut) {
        identifiers.retain(|it| !it["system"].as_str().is_some_and(|it| it.starts_with(&ours)));
    }
    if map["resourceType"] == "Task" {
        // Without a Task of the placer's there is nothing to be part of.
        assert_eq!(map.contains_key("partOf"), !matches!(door, Door::ServiceRequest | Door::PulledOrder));
        map.remove("partOf");
        map.remove("identifier");
    }
    referral_gateway::fhir::reference::for_each_mut(&mut resource, &mut |it| {
        let name = names.get(it["reference"].as_str().unwrap()).expect("it leads to something at the clinic");
        it["reference"] = name.clone().into();
    });
    sort_targets(&mut resource);
    let text = String::from_utf8(canonical(&resource)).unwrap();
    text.replace(&ours, "GATEWAY").replace(referral, "REFERRAL")
}

fn name(resource: &Value) -> String {
    let identifiers = resource["identifier"].as_array();
    let mut values = identifiers.into_iter().flatten().filter_map(|it| it["value"].as_str());
    let value = values.find(|it| !it.starts_with("ref-")).unwrap_or_default();
    let value = if resource_type(resource) == "Task" { "" } else { value };
    format!("{} {value}", resource_type(resource))
}

fn sort_targets(resource: &mut Value) {
    if let Some(targets) = resource.get_mut("target").and_then(Value::as_array_mut) {
        targets.sort_by_key(ToString::to_string);
    }
}
