//! Messages about a referral that we have.

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::communication;
use crate::support::{Options, TestGateway, part, part_mut};

const COW: &str = "http://hl7.org/fhir/uv/cow/CodeSystem/temp";
const BARS_REASON: &str = "https://fhir.nhs.uk/CodeSystem/message-reason-bars";
const BARS: &str = "https://fhir.nhs.uk/CodeSystem/message-events-bars";

/// A message with all that BaRS wants of a header.
fn of_bars(mut message: Value) -> Value {
    let header = &mut message["entry"][0]["resource"];
    header["destination"] = json!([{
        "endpoint": "https://clinic.example/fhir/$process-message",
        "receiver": { "identifier": { "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RX8" } },
    }]);
    header["sender"] =
        json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A20" } });
    header["reason"] = json!({ "coding": [{ "system": BARS_REASON, "code": "new" }] });
    header["definition"] =
        json!("https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral");
    message
}

async fn send(gateway: &mut TestGateway, message: &Value, request_id: &str) -> Reply {
    gateway.watch_for(message);
    let call = gateway.lakeside_calls("POST", "/fhir/$process-message").await;
    call.header("x-request-id", request_id).fhir(message.to_string()).send().await
}

async fn with_dialect(dialect: &'static str) -> TestGateway {
    let options = Options { partner_heads: [("lakeside", dialect)].into(), ..Options::default() };
    TestGateway::with(options).await
}

fn later(event: (&str, &str), about: &str) -> Value {
    let mut message = people::message(1, &ReferralOptions::default(), event, about);
    message["id"] = json!("message-2");
    message["entry"][0]["resource"]["id"] = json!("header-2");
    message
}

fn answer(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["entry"][0]["resource"]["response"]["code"])
}

#[tokio::test]
async fn an_update_of_an_order_cancels_it_or_brings_what_was_missing() {
    let mut gateway = with_dialect("dialect = \"cow\"").await;
    let new = people::message(1, &ReferralOptions::default(), (COW, "new-order"), "Task");
    gateway.send_message(&new).await;
    gateway.settle().await;
    let mut brings = later((COW, "order-update"), "Task");
    let order = brings["entry"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["resource"]["resourceType"] == "ServiceRequest")
        .unwrap()["fullUrl"]
        .clone();
    brings["entry"].as_array_mut().unwrap()
        .push(json!({ "fullUrl": "urn:uuid:5b1f6f7e-0000-4000-8000-000000000001", "resource": communication(order.as_str().unwrap()) }));

    let brought = gateway.send_message(&brings).await;
    gateway.settle().await;
    let again = gateway.send_message(&brings).await;
    gateway.settle().await;
    let mut stops = later((COW, "order-update"), "Task");
    stops["id"] = json!("message-3");
    part_mut(&mut stops, "Task")["status"] = json!("cancelled");
    let stopped = gateway.send_message(&stops).await;
    gateway.settle().await;

    assert_eq!(answer(&brought), (200, &json!("ok")), "{}", brought.body);
    assert_eq!(answer(&again), (200, &json!("ok")));
    let there = gateway.clinic().server().all("Communication");
    assert_eq!(there.len(), 1);
    let known = gateway.clinic().referrals().remove(0);
    assert_eq!(there[0]["basedOn"][0]["reference"], known.service_request);
    assert_eq!(answer(&stopped), (200, &json!("ok")), "{}", stopped.body);
    assert_eq!(gateway.clinic().server().all("Task")[0]["status"], "cancelled");
}

#[tokio::test]
async fn an_order_that_is_revoked_is_stopped_and_one_that_nobody_knows_is_not() {
    let mut gateway = with_dialect("dialect = \"bars\"").await;
    let event = (BARS, "servicerequest-request");
    let new = of_bars(people::message(1, &ReferralOptions::default(), event, "ServiceRequest"));
    gateway.send_message(&new).await;
    gateway.settle().await;
    let mut revoked = of_bars(later(event, "ServiceRequest"));
    part_mut(&mut revoked, "ServiceRequest")["status"] = json!("revoked");

    let reply = gateway.send_message(&revoked).await;
    gateway.settle().await;

    assert_eq!(answer(&reply), (200, &json!("ok")), "{}", reply.body);
    assert_eq!(gateway.clinic().server().all("Task")[0]["status"], "cancelled");
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

#[tokio::test]
async fn an_update_of_an_order_that_was_never_sent_is_a_fatal_error() {
    let mut gateway = with_dialect("dialect = \"cow\"").await;

    let reply = gateway.send_message(&later((COW, "order-update"), "Task")).await;

    assert_eq!(answer(&reply), (422, &json!("fatal-error")), "{}", reply.body);
    let outcome = part(&reply.body, "OperationOutcome");
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], "SEND_REPLY_UNKNOWN");
    assert_eq!(gateway.clinic().referrals().len(), 0);
}

#[tokio::test]
async fn a_guide_that_names_a_message_by_its_request_has_a_repeat_told_as_a_conflict_in_its_own_code() {
    let mut gateway = with_dialect("dialect = \"bars\"").await;
    let event = (BARS, "servicerequest-request");
    let new = of_bars(people::message(1, &ReferralOptions::default(), event, "ServiceRequest"));
    let mut second = of_bars(people::message(2, &ReferralOptions::default(), event, "ServiceRequest"));
    second["id"] = new["id"].clone();

    let first = send(&mut gateway, &new, "r-1").await;
    let again = send(&mut gateway, &new, "r-1").await;
    let other = send(&mut gateway, &second, "r-2").await;
    gateway.settle().await;

    assert_eq!(answer(&first), (200, &json!("ok")), "{}", first.body);
    let said = &first.body["entry"][0]["resource"]["response"]["identifier"];
    assert_eq!(*said, new["id"], "it names the Bundle");
    assert_eq!(answer(&again), (409, &json!("fatal-error")), "{}", again.body);
    let issue = &part(&again.body, "OperationOutcome")["issue"][0];
    let codes: Vec<&Value> =
        issue["details"]["coding"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert_eq!(
        (&issue["code"], codes),
        (&json!("duplicate"), vec![&json!("SEND_KNOWN"), &json!("REC_CONFLICT")])
    );
    assert_eq!(
        answer(&other),
        (200, &json!("ok")),
        "one Bundle.id may be that of two messages: {}",
        other.body
    );
    assert_eq!(gateway.clinic().referrals().len(), 2);
}

#[tokio::test]
async fn a_header_without_what_the_guide_needs_is_refused_by_its_places() {
    let mut gateway = with_dialect("dialect = \"bars\"").await;
    let event = (BARS, "servicerequest-request");
    let mut new = of_bars(people::message(1, &ReferralOptions::default(), event, "ServiceRequest"));
    new["entry"][0]["resource"]["destination"][0].as_object_mut().unwrap().remove("receiver");
    new["entry"][0]["resource"].as_object_mut().unwrap().remove("definition");

    let reply = gateway.send_message(&new).await;

    assert_eq!(answer(&reply), (422, &json!("fatal-error")), "{}", reply.body);
    let outcome = part(&reply.body, "OperationOutcome");
    let at: Vec<&Value> =
        outcome["issue"].as_array().unwrap().iter().map(|it| &it["expression"][0]).collect();
    assert_eq!(
        at,
        [
            &json!("Bundle.entry[0].resource.destination.receiver"),
            &json!("Bundle.entry[0].resource.definition")
        ]
    );
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn updates_under_one_bundle_id_are_several_where_the_guide_uses_it_so() {
    let mut gateway = with_dialect("dialect = \"bars\"").await;
    let event = (BARS, "servicerequest-request");
    let new = of_bars(people::message(1, &ReferralOptions::default(), event, "ServiceRequest"));
    send(&mut gateway, &new, "r-1").await;
    gateway.settle().await;
    let update = |number: usize| {
        let mut update = new.clone();
        let header = &mut update["entry"][0]["resource"];
        header.as_object_mut().unwrap().remove("id");
        header["reason"]["coding"][0]["code"] = json!("update");
        let order = part(&new, "ServiceRequest")["identifier"][0].clone();
        let mut said = communication("");
        said["identifier"][0]["value"] = json!(format!("answer-{number}"));
        said["basedOn"] = json!([{ "type": "ServiceRequest", "identifier": order }]);
        let address = format!("urn:uuid:5b1f6f7e-0000-4000-8000-00000000000{number}");
        update["entry"].as_array_mut().unwrap().push(json!({ "fullUrl": address, "resource": said }));
        update
    };

    let first = send(&mut gateway, &update(1), "r-2").await;
    let second = send(&mut gateway, &update(2), "r-3").await;
    let again = send(&mut gateway, &update(2), "r-3").await;
    gateway.settle().await;

    assert_eq!(answer(&first), (200, &json!("ok")), "{}", first.body);
    assert_eq!(answer(&second), (200, &json!("ok")), "{}", second.body);
    assert_eq!(answer(&again), (409, &json!("fatal-error")), "{}", again.body);
    assert_eq!(gateway.clinic().server().all("Communication").len(), 2 + enclosed(&new));
}

/// How many Communications came with the referral itself.
fn enclosed(message: &Value) -> usize {
    people::resources_of(message, "Communication").len()
}

#[tokio::test]
async fn a_later_message_that_does_not_hold_together_is_refused_by_its_places() {
    let mut gateway = with_dialect("dialect = \"cow\"").await;
    gateway.send_message(&people::message(1, &ReferralOptions::default(), (COW, "new-order"), "Task")).await;
    gateway.settle().await;
    let mut stops = later((COW, "order-update"), "Task");
    part_mut(&mut stops, "Task")["status"] = json!("cancelled");
    stops["entry"][0]["resource"]["sorce"] = json!({});

    let reply = gateway.send_message(&stops).await;

    assert_eq!(answer(&reply), (422, &json!("fatal-error")), "{}", reply.body);
    let issue = &part(&reply.body, "OperationOutcome")["issue"][0];
    assert_eq!(issue["expression"][0], "Bundle.entry[0].resource.sorce", "{issue}");
}
