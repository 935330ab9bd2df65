//! The server as a receiver of messages.

use super::*;
use crate::fhir::message::{Reply as Answered, ReplyTo, Response};
use crate::sandbox::fhir_server::{Fault, Messaging, Misbehaviour};

const PLACE: &str = "$process-message";

fn message(bundle: &str, header: &str, status: &str) -> Value {
    json!({ "resourceType": "Bundle", "id": bundle, "type": "message", "entry": [
        { "fullUrl": "urn:uuid:1", "resource": { "resourceType": "MessageHeader", "id": header } },
        { "fullUrl": "https://us.example/fhir/Task/t", "resource": {
            "resourceType": "Task", "id": "t", "status": status, "for": { "reference": "urn:uuid:2" },
        } },
        { "fullUrl": "urn:uuid:2", "resource": { "resourceType": "Patient" } },
    ] })
}

#[tokio::test]
async fn a_message_is_taken_once_and_answered_the_same_again() {
    let server = server().await;

    let first = post(&server, PLACE, &message("b1", "h1", "accepted")).await;
    let again = post(&server, PLACE, &message("b1", "h1", "completed")).await;

    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(again.body, first.body);
    let reply = Answered::of(&first.body).unwrap();
    assert_eq!((reply.quoted.as_str(), reply.response), ("h1", Some(Response::Ok)));
    assert_eq!(server.history("Task").len(), 1);
    let patient = server.all("Patient").remove(0);
    assert_eq!(
        server.all("Task")[0]["for"]["reference"],
        format!("Patient/{}", patient["id"].as_str().unwrap())
    );
}

#[tokio::test]
async fn what_comes_again_in_another_message_is_the_next_version() {
    let server = server().await;

    post(&server, PLACE, &message("b1", "h1", "accepted")).await;
    post(&server, PLACE, &message("b2", "h2", "completed")).await;
    let mixed = post(&server, PLACE, &message("b2", "h3", "failed")).await;

    assert_eq!(server.all("Task").len(), 1);
    assert_eq!(server.all("Task")[0]["status"], "completed");
    assert_eq!(mixed.status, StatusCode::BAD_REQUEST, "the id of a Bundle with another header");
}

#[tokio::test]
async fn a_repeat_can_be_a_conflict_and_a_reply_can_say_no() {
    let server = server().await;
    server.set_messaging(Messaging { quotes: ReplyTo::Bundle, repeats_conflict: true });
    server.faults().push(Fault::new(Misbehaviour::Replied(Response::FatalError)).on("POST", PLACE));

    let no = post(&server, PLACE, &message("b1", "h1", "accepted")).await;
    let yes = post(&server, PLACE, &message("b1", "h1", "accepted")).await;
    let again = post(&server, PLACE, &message("b1", "h1", "accepted")).await;

    let said = |reply: &super::Reply| Answered::of(&reply.body).map(|it| (it.quoted, it.response));
    assert_eq!(said(&no), Some(("b1".to_owned(), Some(Response::FatalError))));
    assert_eq!(said(&yes), Some(("b1".to_owned(), Some(Response::Ok))));
    assert_eq!((again.status, &again.body["issue"][0]["code"]), (StatusCode::CONFLICT, &json!("duplicate")));
}
