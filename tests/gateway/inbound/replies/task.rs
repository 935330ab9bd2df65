//! A placer changes the referral's Task: what it may change, and of which version.

use serde_json::{Value, json};

use super::{Known, put, shown};
use crate::support::{Options, TestGateway, assert_refused, issues_of};

const PATCH: &str = "application/json-patch+json";

fn input() -> Value {
    json!({ "type": { "text": "Imaging" }, "valueString": "Sent on Monday." })
}

#[tokio::test]
async fn what_a_placer_adds_to_the_input_is_in_the_clinics_task_and_in_its_own() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    gateway.clinic().ask_for(&known.there, "imaging");
    gateway.settle().await;
    let read = shown(&gateway, &known).await;
    let mut task = read.body.clone();
    task["input"] = json!([input()]);

    let reply = put(&gateway, &known, &read, &task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["input"], json!([input()]));
    assert_ne!(reply.headers["etag"], read.headers["etag"]);
    let there = known.at_clinic(&gateway);
    assert_eq!(there["input"].as_array().unwrap().last(), Some(&input()));
    assert_eq!(there["status"], read.body["status"]);
}

#[tokio::test]
async fn the_same_change_again_is_the_same_and_is_written_once() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let read = shown(&gateway, &known).await;
    let mut task = read.body.clone();
    task["input"] = json!([input()]);

    let first = put(&gateway, &known, &read, &task).await;
    gateway.settle().await;
    let again = put(&gateway, &known, &read, &task).await;
    gateway.settle().await;

    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200), "{}", again.body);
    assert_eq!(
        known.at_clinic(&gateway)["input"].as_array().unwrap().iter().filter(|it| **it == input()).count(),
        1
    );
}

#[tokio::test]
async fn a_change_without_a_version_or_of_an_old_one_changes_nothing() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let read = shown(&gateway, &known).await;
    gateway.clinic().accept(&known.there);
    gateway.settle().await;
    let mut task = read.body.clone();
    task["status"] = json!("cancelled");

    let path = format!("/fhir/{}", known.task());
    let without = gateway.lakeside_calls("PUT", &path).await.fhir(task.to_string()).send().await;
    let old = put(&gateway, &known, &read, &task).await;
    gateway.settle().await;

    assert_refused(&without, 428, "SEND_IF_MATCH");
    assert_refused(&old, 412, "SEND_VERSION");
    assert_eq!(known.at_clinic(&gateway)["status"], "accepted");
}

#[tokio::test]
async fn what_is_not_the_placers_to_say_is_refused_by_its_place() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let read = shown(&gateway, &known).await;
    let mut task = read.body.clone();
    task["intent"] = json!("plan");
    task["priority"] = json!("stat");
    task["output"] = json!([{ "type": { "text": "x" }, "valueString": "y" }]);
    let mut unchanged = read.body.clone();
    unchanged["text"] =
        json!({ "status": "empty", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"></div>" });
    let mut done = read.body.clone();
    done["status"] = json!("completed");
    let mut other = read.body.clone();
    other["id"] = json!("ref-01890000-0000-7000-8000-000000000000");

    let wrong = put(&gateway, &known, &read, &task).await;
    let at: Vec<String> = issues_of(&wrong).into_iter().map(|it| it.1).collect();

    assert_refused(&wrong, 422, "SEND_TASK_ELEMENT");
    assert_eq!(at, ["Task.intent", "Task.output", "Task.priority"]);
    assert_refused(&put(&gateway, &known, &read, &unchanged).await, 422, "SEND_REPLY_EMPTY");
    assert_refused(&put(&gateway, &known, &read, &done).await, 409, "SEND_STATE");
    assert_refused(&put(&gateway, &known, &read, &other).await, 400, "SEND_TASK_ID");
}

#[tokio::test]
async fn a_patch_does_what_a_put_does() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let read = shown(&gateway, &known).await;
    let patch = |body: Value, content_type: &'static str| {
        let (gateway, known, read) = (&gateway, &known, &read);
        async move {
            let call = gateway.lakeside_calls("PATCH", &format!("/fhir/{}", known.task())).await;
            let call = call.header("if-match", read.headers["etag"].to_str().unwrap());
            call.header("content-type", content_type).body(body.to_string()).send().await
        }
    };

    let wrong_type = patch(json!([]), "application/fhir+json").await;
    let no_patch = patch(json!({ "op": "add" }), PATCH).await;
    let unfit = patch(json!([{ "op": "remove", "path": "/input/7" }]), PATCH).await;
    let done = patch(json!([{ "op": "replace", "path": "/status", "value": "cancelled" }]), PATCH).await;
    gateway.settle().await;

    assert_refused(&wrong_type, 415, "SEND_CONTENT_TYPE");
    assert_refused(&no_patch, 400, "SEND_PATCH");
    assert_refused(&unfit, 422, "SEND_PATCH_UNFIT");
    assert_eq!((done.status.as_u16(), &done.body["status"]), (200, &json!("cancelled")), "{}", done.body);
    assert_eq!(known.at_clinic(&gateway)["status"], "cancelled");
}

#[tokio::test]
async fn a_patch_whose_answer_was_lost_is_not_done_twice() {
    let mut gateway = TestGateway::start().await;
    let known = Known::of(&mut gateway).await;
    let read = shown(&gateway, &known).await;
    let patch = json!([{ "op": "add", "path": "/input", "value": [input()] }]);

    for key in ["", "the-patch"] {
        let mut answers = Vec::new();
        let etag = shown(&gateway, &known).await.headers["etag"].to_str().unwrap().to_owned();
        for _ in 0..2 {
            let call = gateway.lakeside_calls("PATCH", &format!("/fhir/{}", known.task())).await;
            let call = call.header("if-match", &etag).header("content-type", PATCH);
            let call = if key.is_empty() { call } else { call.header("idempotency-key", key) };
            answers.push(call.body(patch.to_string()).send().await);
        }
        assert!(answers.iter().all(|it| it.status == 200), "{}", answers[1].body);
        assert_eq!(answers[0].headers["etag"], answers[1].headers["etag"]);
    }
    gateway.settle().await;

    assert_eq!(gateway.rows("reply"), 2, "{}", read.body);
    let there = known.at_clinic(&gateway);
    assert_eq!(there["input"].as_array().unwrap().iter().filter(|it| **it == input()).count(), 1);
}

#[tokio::test]
async fn a_partner_of_another_version_changes_its_task_in_its_own_words() {
    for (partner, reason) in [
        ("millpond", json!({ "text": "The patient moved." })),
        ("oakfield", json!({ "text": "The patient moved." })),
        ("summit", json!({ "concept": { "text": "The patient moved." } })),
    ] {
        let head = crate::fixtures::PARTNERS.iter().find(|it| it.0 == partner).unwrap().1;
        let options = Options { partner_heads: [("lakeside", head)].into(), ..Options::default() };
        let mut gateway = TestGateway::with(options).await;
        let complete = format!("{partner}/complete-bundle");
        let case = crate::fixtures::cases().into_iter().find(|it| it.name == complete).unwrap();
        let sent = gateway.send_bundle("lakeside", &case.request).await;
        gateway.settle().await;
        let id = crate::support::answered_task(&sent)["id"].as_str().unwrap().to_owned();
        let known = Known { id, there: gateway.clinic().referrals().remove(0) };
        let read = shown(&gateway, &known).await;
        let mut task = read.body.clone();
        task["status"] = json!("cancelled");
        task["statusReason"] = reason;

        let reply = put(&gateway, &known, &read, &task).await;
        gateway.settle().await;

        assert_eq!(reply.status, 200, "{partner}: {}", reply.body);
        let there = known.at_clinic(&gateway);
        let told = (&there["status"], &there["statusReason"]["text"]);
        assert_eq!(told, (&json!("cancelled"), &json!("The patient moved.")), "{partner}");
    }
}
