//! A Task whose sender's server is down, slow, wrong, or not the one that is registered: nothing is recorded.

use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::{Value, json};

use super::referral;
use crate::support::{Options, TestGateway, assert_refused, issues_of};

const QUIET: &str = "token_burst = 1000000\nfree_disk_bytes = 0\nfree_disk_percent = 0\nballast_bytes = 0\n";

/// A gateway whose `[limits]` say this, and a Task of lakeside.
async fn gateway(limits: &str) -> (TestGateway, Value) {
    let limits = format!("{QUIET}{limits}").leak();
    let mut gateway = TestGateway::with(Options { limits, ..Options::default() }).await;
    let task = gateway.keep_at_lakeside(&referral(1));
    (gateway, task)
}

fn push(gateway: &TestGateway, fault: Fault) {
    gateway.lakeside().server().faults().push(fault);
}

fn assert_sent_again_later(gateway: &TestGateway, refused: &Reply) {
    assert_refused(refused, 503, "SEND_SERVER_UNAVAILABLE");
    assert_eq!(refused.body["issue"][0]["code"], "transient");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_server_that_is_down_is_waited_for_and_the_same_task_is_taken_later() {
    let (mut gateway, task) = gateway("burst = 1000").await;
    gateway.lakeside().server().stop().await;

    let refused = gateway.send_task(&task).await;
    assert_sent_again_later(&gateway, &refused);

    gateway.lakeside().server().restart().await.unwrap();
    let taken = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(taken.status, 201, "{}", taken.body);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_longer_than_agreed() {
    let (mut gateway, task) = gateway("burst = 1000\ngather_s = 1").await;
    push(&gateway, Fault::new(Misbehaviour::Hang).on("GET", "Patient"));

    let refused = gateway.send_task(&task).await;

    assert_sent_again_later(&gateway, &refused);
}

#[tokio::test]
async fn a_server_that_fails_or_answers_something_else_is_not_believed() {
    let other = json!({ "resourceType": "Patient", "id": "somebody-else" });
    let fhir_json = vec![("content-type", "application/fhir+json".to_owned())];
    for fault in [
        Fault::status(500),
        Fault::status(401),
        Fault::new(Misbehaviour::Html),
        Fault::new(Misbehaviour::DropBeforeApply),
        Fault::new(Misbehaviour::WrongContent(other)),
        Fault::new(Misbehaviour::WrongContent(json!({ "resourceType": "OperationOutcome" }))),
        Fault::new(Misbehaviour::Raw { status: 200, headers: fhir_json, body: "{\"resourceType\":".into() }),
    ] {
        let (mut gateway, task) = gateway("burst = 1000").await;
        let said = format!("{fault:?}");
        gateway.lakeside().server().faults().always(Some(fault.on("GET", "Patient")));

        let refused = gateway.send_task(&task).await;

        assert_eq!(refused.status, 503, "{said}");
        assert_sent_again_later(&gateway, &refused);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_time_is_given_it() {
    let (mut gateway, task) = gateway("burst = 1000").await;
    push(&gateway, Fault::retry_after(503, "120").on("GET", "ServiceRequest"));

    let refused = gateway.send_task(&task).await;

    assert_sent_again_later(&gateway, &refused);
    assert_eq!(refused.headers["retry-after"], "120");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (mut gateway, task) = gateway("burst = 1000").await;
    let location = format!("{}/Patient/1", gateway.clinic().server().base_url());
    let before = gateway.clinic().server().requests().len();
    push(&gateway, Fault::new(Misbehaviour::Redirect { status: 307, location }).on("GET", "Patient"));

    let refused = gateway.send_task(&task).await;

    assert_sent_again_later(&gateway, &refused);
    assert_eq!(gateway.clinic().server().requests().len(), before);
}

#[tokio::test]
async fn an_answer_without_end_is_broken_off() {
    let (mut gateway, task) = gateway("burst = 1000").await;
    push(&gateway, Fault::new(Misbehaviour::ApplyThenPour).on("GET", "DocumentReference"));

    let refused = gateway.send_task(&task).await;

    assert_refused(&refused, 422, "SEND_REFERENCES_TOO_MUCH");
    assert_eq!(issues_of(&refused)[0].1, "Task.focus.resolve().supportingInfo[0]");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn what_is_not_there_or_may_not_be_read_is_named() {
    for (fault, code) in [
        (Fault::status(404), "SEND_REFERENCE_NOT_FOUND"),
        (Fault::status(410), "SEND_REFERENCE_NOT_FOUND"),
        (Fault::status(403), "SEND_REFERENCE_REFUSED"),
        (Fault::status(406), "SEND_REFERENCE_REFUSED"),
    ] {
        let (mut gateway, task) = gateway("burst = 1000").await;
        push(&gateway, fault.on("GET", "Condition"));

        let refused = gateway.send_task(&task).await;

        assert_refused(&refused, 422, code);
        assert_eq!(issues_of(&refused)[0].1, "Task.focus.resolve().reasonReference[0]");
        gateway.assert_nothing_recorded();
    }
}

#[tokio::test]
async fn nothing_is_read_from_another_server_than_the_registered_one() {
    let (mut gateway, task) = gateway("burst = 1000").await;
    let clinic = gateway.clinic().server().base_url().to_owned();
    let elsewhere = json!({ "reference": format!("{clinic}/Patient/1") });
    let order = json!({ "reference": format!("{clinic}/ServiceRequest/1") });
    let input = json!([{ "type": { "text": "x" }, "valueReference": elsewhere }]);
    let before = gateway.clinic().server().requests().len();

    for (element, value, at) in [
        ("focus", order, "Task.focus"),
        ("for", elsewhere.clone(), "Task.for"),
        ("requester", elsewhere.clone(), "Task.requester"),
        ("input", input, "Task.input[0].valueReference"),
    ] {
        let mut changed = task.clone();
        changed[element] = value;
        let refused = gateway.send_task(&changed).await;

        assert_refused(&refused, 422, "SEND_REFERENCE_ORIGIN");
        assert_eq!(issues_of(&refused)[0].1, at);
    }
    for (element, at) in
        [("subject", "Task.focus.resolve().subject"), ("requester", "Task.focus.resolve().requester")]
    {
        let mut order = gateway.lakeside().server().all("ServiceRequest")[0].clone();
        order[element] = elsewhere.clone();
        gateway.lakeside().server().update(order);
        let refused = gateway.send_task(&task).await;

        assert_refused(&refused, 422, "SEND_REFERENCE_ORIGIN");
        assert_eq!(issues_of(&refused)[0].1, at);
    }
    assert_eq!(gateway.clinic().server().requests().len(), before);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_partner_without_a_server_must_contain_what_it_names() {
    let mut gateway = TestGateway::with(Options { mode: "inbox", ..Options::default() }).await;
    let task = gateway.keep_at_lakeside(&referral(1));

    let refused = gateway.send_task(&task).await;

    assert_refused(&refused, 422, "SEND_REFERENCE_ORIGIN");
    assert!(gateway.lakeside().server().requests().is_empty());
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_task_for_another_patient_than_the_orders_is_refused() {
    let (mut gateway, mut task) = gateway("burst = 1000").await;
    let other = gateway.lakeside().server().create(json!({ "resourceType": "Patient" }));
    let other = format!("Patient/{}", other["id"].as_str().unwrap());
    task["for"] = json!({ "reference": other });

    let refused = gateway.send_task(&task).await;

    assert_refused(&refused, 422, "SEND_PATIENT_OTHER");
    assert_eq!(issues_of(&refused)[0].1, "Task.for");
    let read = gateway.lakeside().server().requests();
    assert!(!read.iter().any(|it| it.path_and_query.contains(&other)), "somebody else's record is not read");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn more_than_was_agreed_is_not_read() {
    let (mut gateway, task) = gateway("burst = 1000\ngather_resources = 3").await;

    let refused = gateway.send_task(&task).await;

    assert_refused(&refused, 422, "SEND_REFERENCES_TOO_MUCH");
    assert!(gateway.lakeside().server().requests().len() <= 3);
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn what_is_read_counts_as_calls_of_the_partner() {
    let (mut gateway, task) = gateway("requests_per_second = 1\nburst = 5").await;

    let refused = gateway.send_task(&task).await;

    assert_refused(&refused, 429, "SEND_TOO_OFTEN");
    assert_eq!(refused.headers["retry-after"], "1");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn while_the_door_is_shut_no_task_is_read_for() {
    let (mut gateway, task) = gateway("burst = 1000\nundelivered = 1").await;
    gateway.send_task(&task).await;
    gateway.send_bundle("lakeside", &referral(2)).await;
    gateway.gateway().look_at_pressure().await;
    gateway.lakeside().server().clear_requests();
    let mut other = task.clone();
    other["description"] = json!("another");

    let again = gateway.send_task(&task).await;
    let refused = gateway.send_task(&other).await;
    gateway.settle().await;

    assert_eq!(again.status, 201);
    assert_refused(&refused, 503, "GW_SHUT");
    let read = gateway.lakeside().server().requests();
    assert!(!read.iter().any(|it| it.method == "GET" && it.path_and_query.contains("ServiceRequest")));
}
