//! A Task whose order stands on its sender's own server, or is contained.

use referral_gateway::fhir::reference;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::{referral, replayed};
use crate::support::{Options, TestGateway, assert_refused, issues_of};

#[tokio::test]
async fn what_a_task_names_is_read_from_its_senders_server() {
    let mut gateway = TestGateway::start().await;
    let task = gateway.keep_at_lakeside(&referral(1));

    let reply = gateway.send_task(&task).await;
    let read = gateway.lakeside().server().requests();
    gateway.settle().await;

    assert_eq!((reply.status.as_u16(), &reply.body["resourceType"]), (201, &json!("Task")), "{}", reply.body);
    let address = format!("{}/fhir/Task/{}", gateway.public_url(), reply.body["id"].as_str().unwrap());
    for header in ["location", "content-location"] {
        assert_eq!(reply.headers[header], address.as_str());
    }
    assert!(read.iter().all(|it| it.method == "GET"));
    assert_eq!(read.len(), 10, "each resource once");
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn the_order_may_be_named_in_based_on_and_by_complete_addresses() {
    let mut gateway = TestGateway::start().await;
    let mut task = gateway.keep_at_lakeside(&referral(1));
    let order = task.as_object_mut().unwrap().remove("focus").unwrap();
    task["basedOn"] = json!([order]);
    let base = gateway.lakeside().server().base_url().to_owned();
    reference::for_each_mut(&mut task, &mut |it| {
        it["reference"] = json!(format!("{base}/{}", it["reference"].as_str().unwrap()));
    });

    let reply = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn a_task_that_contains_everything_needs_no_server() {
    let mut gateway = TestGateway::with(Options { mode: "inbox", ..Options::default() }).await;
    let task = people::task(1, &ReferralOptions::default());

    let reply = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    assert!(gateway.lakeside().server().requests().is_empty());
    assert_eq!(gateway.clinic().server().all("Patient").len(), 1);
}

#[tokio::test]
async fn the_same_task_again_is_answered_without_a_look_at_its_senders_server() {
    let mut gateway = TestGateway::start().await;
    let task = gateway.keep_at_lakeside(&referral(1));
    let first = gateway.send_task(&task).await;
    gateway.settle().await;
    let mut order = gateway.lakeside().server().all("ServiceRequest")[0].clone();
    order["priority"] = json!("stat");
    gateway.lakeside().server().update(order);
    gateway.lakeside().server().clear_requests();

    let again = gateway.send_task(&task).await;

    assert_eq!((again.status.as_u16(), replayed(&again)), (201, true), "{}", again.body);
    assert_eq!(
        (&again.headers["location"], &again.body["id"]),
        (&first.headers["location"], &first.body["id"])
    );
    assert!(gateway.lakeside().server().requests().is_empty());
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn another_task_under_the_same_number_is_refused() {
    let mut gateway = TestGateway::start().await;
    let mut task = gateway.keep_at_lakeside(&referral(1));
    gateway.send_task(&task).await;
    task["description"] = json!("Something else");

    let refused = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_refused(&refused, 422, "SEND_DUPLICATE");
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn what_the_task_asks_for_besides_reaches_the_clinic() {
    let mut gateway = TestGateway::start().await;
    let mut task = gateway.keep_at_lakeside(&referral(1));
    let letter = gateway.lakeside().server().all("DocumentReference")[0]["id"].clone();
    task["input"] = json!([{
        "type": { "text": "letter" },
        "valueReference": { "reference": format!("DocumentReference/{}", letter.as_str().unwrap()) },
    }]);

    let reply = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    let document = gateway.clinic().server().all("DocumentReference")[0]["id"].clone();
    let reference =
        gateway.clinic().server().all("Task")[0]["input"][0]["valueReference"]["reference"].clone();
    assert_eq!(reference, format!("DocumentReference/{}", document.as_str().unwrap()));
}

#[tokio::test]
async fn what_is_wrong_is_named_as_seen_from_the_task() {
    let mut gateway = TestGateway::start().await;
    let mut task = gateway.keep_at_lakeside(&referral(1));
    task["status"] = json!("completed");
    let mut order = gateway.lakeside().server().all("ServiceRequest")[0].clone();
    order["status"] = json!("draft");
    gateway.lakeside().server().update(order);

    let refused = gateway.send_task(&task).await;

    let expected = [
        ("SEND_TASK_NOT_ACTIONABLE", "Task.status"),
        ("SEND_REFERRAL_NOT_ACTIONABLE", "Task.focus.resolve().status"),
    ];
    assert_eq!(issues_of(&refused), expected.map(|(code, at)| (code.to_owned(), at.to_owned())));
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_task_that_asks_for_something_else_or_names_no_order_is_refused() {
    let mut gateway = TestGateway::start().await;
    let task = gateway.keep_at_lakeside(&referral(1));
    let with = |element: &str, value: Value| {
        let mut changed = task.clone();
        changed[element] = value;
        changed
    };
    let abort =
        json!({ "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort" }] });

    for (task, code) in [
        (with("code", abort), "SEND_REPLY_UNKNOWN"),
        (with("status", json!("cancelled")), "SEND_TASK_NOT_ACTIONABLE"),
        (with("focus", json!({ "reference": "Task/7" })), "SEND_SERVICE_REQUEST_MISSING"),
        (with("focus", json!({ "display": "somewhere" })), "SEND_SERVICE_REQUEST_MISSING"),
        (with("resourceType", json!("ServiceRequest")), "SEND_RESOURCE_TYPE_UNEXPECTED"),
    ] {
        assert_refused(&gateway.send_task(&task).await, 422, code);
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn references_that_are_not_followed_are_kept_as_names() {
    let mut gateway = TestGateway::start().await;
    let task = gateway.keep_at_lakeside(&referral(1));
    let mut order = gateway.lakeside().server().all("ServiceRequest")[0].clone();
    order["basedOn"] = json!([{ "reference": "ServiceRequest/earlier" }]);
    order["performer"] = json!([{ "reference": "https://directory.example/fhir/Organization/harbour" }]);
    gateway.lakeside().server().update(order);

    let reply = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    let order = &gateway.clinic().server().all("ServiceRequest")[0];
    let earlier = format!("{}/ServiceRequest/earlier", gateway.lakeside().server().base_url());
    assert_eq!(order["basedOn"][0]["identifier"]["value"], earlier);
    assert_eq!(
        order["performer"][0]["identifier"]["value"],
        "https://directory.example/fhir/Organization/harbour"
    );
}

#[tokio::test]
async fn what_an_order_names_on_its_senders_server_is_read_there_also_for_a_dry_run() {
    let mut gateway = TestGateway::start().await;
    gateway.keep_at_lakeside(&referral(1));
    let order = gateway.lakeside().server().all("ServiceRequest").remove(0);

    let would = gateway.lakeside_calls("POST", "/fhir/ServiceRequest/$validate").await;
    let would = would.fhir(order.to_string()).send().await;
    gateway.assert_nothing_recorded();
    let reply = gateway.send_service_request("lakeside", &order).await;
    let read = gateway.lakeside().server().requests().len();
    let again = gateway.send_service_request("lakeside", &order).await;
    gateway.settle().await;

    assert_eq!(issues_of(&would)[0].0, "SEND_VALID");
    assert_eq!(reply.status, 201, "{}", reply.body);
    let id = reply.body["id"].as_str().unwrap();
    let location = format!("{}/fhir/ServiceRequest/{id}/_history/1", gateway.public_url());
    assert_eq!(reply.headers["location"], location.as_str());
    assert_eq!((again.status.as_u16(), replayed(&again)), (201, true));
    assert_eq!(gateway.lakeside().server().requests().len(), read, "nothing is read for a repeat");
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn an_order_that_names_another_server_is_refused_by_its_place() {
    let mut gateway = TestGateway::start().await;
    gateway.keep_at_lakeside(&referral(1));
    let mut order = gateway.lakeside().server().all("ServiceRequest").remove(0);
    order["requester"] = json!({ "reference": "https://elsewhere.example/fhir/PractitionerRole/1" });

    let reply = gateway.send_service_request("lakeside", &order).await;

    assert_refused(&reply, 422, "SEND_REFERENCE_ORIGIN");
    assert_eq!(issues_of(&reply)[0].1, "ServiceRequest.requester");
    gateway.assert_nothing_recorded();
}
