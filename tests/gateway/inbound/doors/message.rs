//! Messages, and the reply to each.

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::{NEW_ORDER, doubtful_provision, message, referral, replayed};
use crate::support::{Options, TestGateway, assert_refused, part, part_mut};

const BSER: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v2-0003", "I12");
const BARS: (&str, &str) = ("https://fhir.nhs.uk/CodeSystem/message-events-bars", "servicerequest-request");

fn response(reply: &Reply) -> &Value {
    let header = &reply.body["entry"][0]["resource"];
    assert_eq!(reply.body["type"], "message", "{}", reply.body);
    assert_eq!(header["resourceType"], "MessageHeader");
    &header["response"]
}

/// The reply says no with this status, response code and code of ours, at this place.
fn assert_said_no(reply: &Reply, (status, response_code): (u16, &str), (code, at): (&str, &str)) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    let said = response(reply);
    let outcome = part(&reply.body, "OperationOutcome");
    assert_eq!(said["code"], response_code);
    assert_eq!(said["details"]["reference"], reply.body["entry"][1]["fullUrl"]);
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], code, "{outcome}");
    assert_eq!(outcome["issue"][0]["expression"][0].as_str().unwrap_or_default(), at);
    let id = reply.headers["x-request-id"].to_str().unwrap();
    assert_eq!(outcome["issue"][0]["diagnostics"], format!("request {id}"));
}

#[tokio::test]
async fn a_message_is_answered_with_a_message_that_names_the_task() {
    for (event, about) in [(NEW_ORDER, "Task"), (BSER, "Task"), (BARS, "ServiceRequest")] {
        let mut gateway = TestGateway::start().await;
        let message = people::message(1, &ReferralOptions::default(), event, about);

        let reply = gateway.send_message(&message).await;
        gateway.settle().await;

        assert_eq!(reply.status, 200, "{}", reply.body);
        let (header, said) = (&reply.body["entry"][0]["resource"], response(&reply));
        assert_eq!((&said["identifier"], &said["code"]), (&json!("header-1"), &json!("ok")));
        assert_eq!(header["eventCoding"], json!({ "system": event.0, "code": event.1 }));
        assert_eq!(
            header["destination"][0]["endpoint"],
            message["entry"][0]["resource"]["source"]["endpoint"]
        );
        let address = header["focus"][0]["reference"].as_str().unwrap();
        assert_eq!(reply.body["entry"][1]["fullUrl"], address);
        let path = address.strip_prefix(&format!("{}/fhir/", gateway.public_url())).unwrap();
        let read = gateway.lakeside().get(path).await.unwrap();
        assert_eq!(read.body["id"], part(&reply.body, "Task")["id"]);
        assert_eq!(gateway.clinic().referrals().len(), 1);
    }
}

#[tokio::test]
async fn the_same_message_again_gets_the_same_reply_whatever_happened_since() {
    let mut gateway = TestGateway::start().await;

    let first = gateway.send_message(&message(1)).await;
    gateway.settle().await;
    gateway.restart().await;
    let again = gateway.send_message(&message(1)).await;

    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (1, 1));
}

#[tokio::test]
async fn the_same_referral_in_a_new_message_is_known_and_gets_a_reply_of_its_own() {
    let mut gateway = TestGateway::start().await;
    let mut other = message(1);
    other["id"] = json!("message-again");
    other["entry"][0]["resource"]["id"] = json!("header-again");

    let first = gateway.send_message(&message(1)).await;
    let second = gateway.send_message(&other).await;
    gateway.settle().await;

    assert_eq!((second.status.as_u16(), &response(&second)["identifier"]), (200, &json!("header-again")));
    assert_ne!(second.body["id"], first.body["id"]);
    assert_eq!(part(&second.body, "Task"), part(&first.body, "Task"));
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn a_bundle_id_that_was_used_for_something_else_is_refused() {
    let mut gateway = TestGateway::start().await;
    let mut other = message(2);
    other["id"] = json!("message-1");

    gateway.send_message(&message(1)).await;
    let refused = gateway.send_message(&other).await;
    gateway.settle().await;

    assert_said_no(&refused, (422, "fatal-error"), ("SEND_DUPLICATE", ""));
    assert_eq!(gateway.rows("referral"), 1);
}

#[tokio::test]
async fn what_is_not_a_new_referral_is_a_fatal_error_and_no_success() {
    let mut gateway = TestGateway::start().await;
    let header = |element: &str, value: Value| {
        let mut changed = message(1);
        changed["entry"][0]["resource"][element] = value;
        changed
    };
    let update = json!({ "coding": [{ "code": "update" }] });
    let response = json!({ "identifier": "x", "code": "ok" });
    let mut cancelled = message(1);
    part_mut(&mut cancelled, "ServiceRequest")["status"] = json!("revoked");
    let order = cancelled["entry"].as_array().unwrap().iter().position(is_order).unwrap();
    let status = format!("Bundle.entry[{order}].resource.status");
    let event = "Bundle.entry[0].resource.event";

    for (sent, code, at) in [
        (
            header("eventCoding", json!({ "system": NEW_ORDER.0, "code": "order-update" })),
            "SEND_MESSAGE_EVENT",
            event,
        ),
        (header("reason", update), "SEND_MESSAGE_EVENT", event),
        (header("response", response), "SEND_MESSAGE_EVENT", event),
        (header("focus", Value::Null), "SEND_ELEMENT_TYPE", "Bundle.entry[0].resource.focus"),
        (
            header("focus", json!([{ "display": "x" }])),
            "SEND_MESSAGE_FOCUS",
            "Bundle.entry[0].resource.focus",
        ),
        (cancelled, "SEND_REFERRAL_NOT_ACTIONABLE", &status),
    ] {
        let refused = gateway.send_message(&sent).await;

        let codes = part(&refused.body, "OperationOutcome")["issue"].as_array().unwrap();
        let found =
            codes.iter().any(|it| it["details"]["coding"][0]["code"] == code && it["expression"][0] == *at);
        assert!(found, "{code} {at}: {}", refused.body);
        assert_eq!(
            (refused.status.as_u16(), &self::response(&refused)["code"]),
            (422, &json!("fatal-error"))
        );
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn what_may_work_later_is_a_transient_error() {
    let limits = "token_burst = 1000000\nburst = 1000\nfree_disk_bytes = 0\nfree_disk_percent = 0\nballast_bytes = 0\n\
                  undelivered = 1";
    let mut gateway = TestGateway::with(Options { limits, ..Options::default() }).await;
    gateway.send_message(&message(1)).await;
    gateway.send_message(&message(2)).await;
    gateway.gateway().look_at_pressure().await;

    let refused = gateway.send_message(&message(3)).await;
    gateway.settle().await;

    assert_said_no(&refused, (503, "transient-error"), ("GW_SHUT", ""));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(gateway.rows("referral"), 2);
}

#[tokio::test]
async fn what_is_no_message_is_refused_as_at_other_doors() {
    let mut gateway = TestGateway::start().await;
    let mut headless = message(1);
    headless["entry"].as_array_mut().unwrap().remove(0);
    let mut nameless = message(1);
    nameless.as_object_mut().unwrap().remove("id");
    nameless["entry"][0]["resource"].as_object_mut().unwrap().remove("id");

    for (sent, code) in [
        (referral(1), "SEND_BUNDLE_TYPE"),
        (people::service_request(1, &ReferralOptions::default()), "SEND_RESOURCE_TYPE_UNEXPECTED"),
        (headless, "SEND_MESSAGE_HEADER_MISSING"),
        (nameless, "SEND_MESSAGE_ID"),
    ] {
        assert_refused(&gateway.send_message(&sent).await, 422, code);
    }
    assert_refused(&gateway.send_bundle("lakeside", &message(1)).await, 422, "SEND_BUNDLE_TYPE");
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_reply_tells_what_to_mend_in_a_consent_that_only_holds() {
    let mut gateway = TestGateway::start().await;
    let mut message = message(1);
    part_mut(&mut message, "Consent")["provision"] = doubtful_provision();

    let reply = gateway.send_message(&message).await;
    gateway.settle().await;

    assert_eq!((reply.status.as_u16(), &response(&reply)["code"]), (200, &json!("ok")), "{}", reply.body);
    let outcome = part(&reply.body, "OperationOutcome");
    assert_eq!(outcome["issue"][0]["severity"], "warning");
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], "SEND_CONSENT_ONLY_HOLDS");
}

fn is_order(entry: &Value) -> bool {
    entry["resource"]["resourceType"] == "ServiceRequest"
}
