//! A placer stops a referral: at once before it has begun, by asking afterwards.

use referral_gateway::model::delivery::{DeliveryState, Owed};
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::{Known, post, put, shown};
use crate::support::{Options, TestGateway, assert_refused};

fn abort(known: &Known) -> Value {
    json!({
        "resourceType": "Task",
        "identifier": [{ "system": "https://lakeside.example/tasks", "value": "stop-1" }],
        "status": "requested",
        "intent": "order",
        "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort" }] },
        "focus": { "reference": known.task() },
        "statusReason": { "text": "The patient moved." },
    })
}

/// The Tasks at the clinic that ask to stop.
fn asked_to_stop(gateway: &TestGateway) -> Vec<Value> {
    let all = gateway.clinic().server().all("Task").into_iter();
    all.filter(|it| it["code"]["coding"][0]["code"] == "abort").collect()
}

async fn with_dialect(dialect: &'static str) -> (TestGateway, Known) {
    let options = Options { partner_heads: [("lakeside", dialect)].into(), ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let known = Known::of(&mut gateway).await;
    (gateway, known)
}

async fn cancel(gateway: &TestGateway, known: &Known) -> referral_gateway::sandbox::gateway_client::Reply {
    let read = shown(gateway, known).await;
    let mut task = read.body.clone();
    task["status"] = json!("cancelled");
    task["statusReason"] = json!({ "text": "The patient moved." });
    put(gateway, known, &read, &task).await
}

#[tokio::test]
async fn before_it_has_begun_a_placer_cancels_by_itself_and_reads_so_at_once() {
    for dialect in ["", "dialect = \"cow\"", "dialect = \"sdoh\""] {
        let (gateway, known) = with_dialect(dialect).await;

        let reply = cancel(&gateway, &known).await;
        let before = shown(&gateway, &known).await.body["status"].clone();
        gateway.settle().await;

        assert_eq!(
            (reply.status.as_u16(), &reply.body["status"]),
            (200, &json!("cancelled")),
            "{}",
            reply.body
        );
        assert_eq!(before, "cancelled");
        let there = known.at_clinic(&gateway);
        assert_eq!(
            (&there["status"], &there["statusReason"]["text"]),
            (&json!("cancelled"), &json!("The patient moved."))
        );
        assert_eq!(shown(&gateway, &known).await.body["status"], "cancelled");
        assert!(asked_to_stop(&gateway).is_empty());
    }
}

#[tokio::test]
async fn once_it_has_begun_it_is_told_how_to_ask() {
    let (gateway, known) = with_dialect("").await;
    gateway.clinic().set_task(&known.there, "in-progress", None);
    gateway.settle().await;

    let refused = cancel(&gateway, &known).await;
    let asked = post(&gateway, &abort(&known)).await;
    gateway.settle().await;

    assert_refused(&refused, 409, "SEND_CANCEL_WAY");
    assert_eq!(asked.status, 201, "{}", asked.body);
    let there = asked_to_stop(&gateway).remove(0);
    assert_eq!(there["focus"]["reference"], known.there.task);
    assert_eq!(there["for"]["reference"], known.there.patient);
    assert_eq!(there["statusReason"]["text"], "The patient moved.");
    assert_eq!(known.at_clinic(&gateway)["status"], "in-progress");
    let path = format!("Task/{}", asked.body["id"].as_str().unwrap());
    assert_eq!(gateway.lakeside().get(&path).await.unwrap().body["status"], "received");
}

#[tokio::test]
async fn where_a_guide_lets_the_filler_answer_the_task_says_that_it_was_asked_for_until_it_does() {
    let (gateway, known) = with_dialect("dialect = \"bser\"").await;
    let read = shown(&gateway, &known).await;
    let mut task = read.body.clone();
    task["status"] = json!("in-progress");
    task["businessStatus"] = json!({ "coding": [{
        "system": "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS", "code": "5.2" }] });

    let reply = put(&gateway, &known, &read, &task).await;
    gateway.settle().await;
    let asked = shown(&gateway, &known).await.body;
    gateway.clinic().set_task(&known.there, "cancelled", None);
    gateway.settle().await;
    let answered = shown(&gateway, &known).await.body;

    assert_eq!(reply.status, 200, "{}", reply.body);
    for told in [&reply.body, &asked] {
        let codes = told["businessStatus"]["coding"].as_array().unwrap();
        assert_eq!(
            (&told["status"], &codes.last().unwrap()["code"]),
            (&json!("in-progress"), &json!("5.2")),
            "{told}"
        );
    }
    assert_eq!(asked_to_stop(&gateway).len(), 1);
    assert_eq!(answered["status"], "cancelled");
}

#[tokio::test]
async fn a_clinic_that_began_in_the_meantime_is_asked_and_not_overruled() {
    let (gateway, known) = with_dialect("").await;
    let reply = cancel(&gateway, &known).await;
    gateway.clinic().set_task(&known.there, "in-progress", None);

    gateway.settle().await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(known.at_clinic(&gateway)["status"], "in-progress");
    assert_eq!(asked_to_stop(&gateway).len(), 1);
    assert_eq!(shown(&gateway, &known).await.body["status"], "in-progress");
}

#[tokio::test]
async fn a_cancel_whose_answer_from_the_clinic_was_lost_is_a_cancel_and_not_one_that_came_too_late() {
    let (gateway, known) = with_dialect("").await;
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("PUT", "Task"));

    cancel(&gateway, &known).await;
    gateway.work().await;
    gateway.after(std::time::Duration::from_mins(3)).await;

    assert_eq!(known.at_clinic(&gateway)["status"], "cancelled");
    let done = gateway.deliveries(DeliveryState::Delivered).await;
    let cancelled = done.iter().find(|it| matches!(it.task, Owed::Reply(..))).unwrap();
    assert_eq!(cancelled.reason, None);
}

#[tokio::test]
async fn what_is_over_cannot_be_stopped() {
    let (gateway, known) = with_dialect("").await;
    gateway.clinic().complete(&known.there);
    gateway.settle().await;

    assert_refused(&cancel(&gateway, &known).await, 409, "SEND_STATE");
    assert_refused(&post(&gateway, &abort(&known)).await, 409, "SEND_STATE");
}

#[tokio::test]
async fn a_cancel_before_the_referral_reached_the_clinic_takes_effect_after_it() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().stop().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let sent = gateway.send_bundle("lakeside", &bundle).await;
    gateway.work().await;
    let id = crate::support::answered_task(&sent)["id"].as_str().unwrap().to_owned();
    let path = format!("Task/{id}");
    let read = gateway.lakeside().get(&path).await.unwrap();
    let mut task = read.body.clone();
    task["status"] = json!("cancelled");
    let call = gateway.lakeside_calls("PUT", &format!("/fhir/{path}")).await;
    let etag = read.headers["etag"].to_str().unwrap();
    let reply = call.header("if-match", etag).fhir(task.to_string()).send().await;

    gateway.clinic().server().restart().await.unwrap();
    gateway.after(std::time::Duration::from_mins(10)).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    let there = gateway.clinic().server().all("Task").remove(0);
    assert_eq!(there["status"], "cancelled");
}
