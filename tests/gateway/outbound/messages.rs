//! Updates as messages to the partner's `$process-message`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use referral_gateway::fhir::message::{ReplyTo, Response};
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::{ClinicReferral, ConsentSays};
use referral_gateway::sandbox::fhir_server::{Fault, Messaging, Misbehaviour, RecordedRequest};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use super::{assert_nothing_internal_left, number, only, sent_to, the_one, updates};
use crate::fixtures;
use crate::process::{err, run};
use crate::support::{Options, TestGateway, part};

const QUIET: Duration = Duration::from_secs(61);

const COW: &str = "dialect = \"cow\"";
const BSER: &str = "dialect = \"bser\"";
const BARS: &str = "dialect = \"bars\"";

fn options(head: &'static str) -> Options {
    Options { mode: "message", partner_heads: BTreeMap::from([("lakeside", head)]), ..Options::default() }
}

/// A gateway whose lakeside gets messages, and a referral of lakeside's.
async fn with(options: Options) -> (TestGateway, ClinicReferral) {
    let mut gateway = TestGateway::with(options.clone()).await;
    if options.partner_heads["lakeside"].contains("bars") {
        let messaging = Messaging { quotes: ReplyTo::Bundle, repeats_conflict: true };
        gateway.lakeside().server().set_messaging(messaging);
    }
    let referral = gateway.referral(1).await;
    (gateway, referral)
}

/// The same, where the first message meets a fault.
async fn with_fault(head: &'static str, misbehaviour: Misbehaviour) -> (TestGateway, ClinicReferral) {
    let (gateway, referral) = with(options(head)).await;
    gateway.lakeside().server().faults().push(Fault::new(misbehaviour).on("POST", "$process-message"));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    (gateway, referral)
}

/// The messages that reached lakeside.
fn messages(gateway: &TestGateway) -> Vec<Value> {
    sent_to(gateway.lakeside()).iter().map(RecordedRequest::json).collect()
}

fn header(message: &Value) -> &Value {
    &message["entry"][0]["resource"]
}

/// The resource that the first focus leads to.
fn focus(message: &Value) -> &Value {
    let entries = message["entry"].as_array().unwrap();
    let found = entries.iter().find(|it| it["fullUrl"] == header(message)["focus"][0]["reference"]);
    &found.expect("the focus is in the message")["resource"]
}

fn types(message: &Value) -> Vec<&str> {
    let entries = message["entry"].as_array().unwrap().iter();
    entries.map(|it| it["resource"]["resourceType"].as_str().unwrap()).collect()
}

async fn state(gateway: &TestGateway) -> (DeliveryState, Option<String>) {
    let delivery = updates(gateway).await.remove(0);
    (delivery.state, delivery.reason)
}

#[tokio::test]
async fn an_update_of_each_kind_arrives_as_a_message_in_each_guide_that_has_messages() {
    for (head, event, booked) in [
        (COW, "order-update", "order-update"),
        (BSER, "I12", "I12"),
        (BARS, "servicerequest-response", "booking-response"),
    ] {
        let (gateway, referral) = with(options(head)).await;
        let steps: [(&str, &dyn Fn()); 7] = [
            ("Task", &|| drop(gateway.clinic().accept(&referral))),
            ("Communication", &|| drop(gateway.clinic().send_message(&referral, "Please call us."))),
            ("Composition", &|| drop(gateway.clinic().write_visit_summary(&referral))),
            ("DocumentReference", &|| drop(gateway.clinic().write_visit_document(&referral))),
            ("DiagnosticReport", &|| drop(gateway.clinic().report_results(&referral))),
            ("CarePlan", &|| drop(gateway.clinic().write_care_plan(&referral))),
            ("Appointment", &|| drop(gateway.clinic().schedule(&referral))),
        ];
        for (kind, step) in steps {
            step();
            gateway.settle().await;

            let message = messages(&gateway).into_iter().find(|it| types(it)[2] == kind);
            let message = message.or_else(|| messages(&gateway).pop().filter(|_| kind == "Task"));
            let message = message.unwrap_or_else(|| panic!("{head}: {kind}"));
            let expected = if kind == "Appointment" { booked } else { event };
            assert_eq!(header(&message)["eventCoding"]["code"], expected, "{head}: {kind}");
            let status = if kind == "Appointment" { "in-progress" } else { "accepted" };
            assert_eq!(part(&message, "Task")["status"], status, "{head}: the Task carries the state");
            only(&gateway, kind);
        }
        only(&gateway, "Task");
        assert_eq!(gateway.lakeside().server().all("Observation").len(), 2, "{head}");
        let all = gateway.lakeside().server().requests();
        assert!(
            all.iter().all(|it| it.path_and_query == "/fhir/$process-message"),
            "{head}: nothing is looked for"
        );
        assert!(gateway.deliveries(DeliveryState::Dead).await.is_empty(), "{head}");
        assert_nothing_internal_left(&gateway);
    }
}

#[tokio::test]
async fn a_message_says_who_writes_to_whom_about_which_referral() {
    let (gateway, referral) = with(options(COW)).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let message = messages(&gateway).remove(0);

    let said = header(&message);
    assert_eq!(types(&message)[0], "MessageHeader");
    assert_eq!(said["source"]["endpoint"], format!("{}/fhir/$process-message", gateway.public_url()));
    let theirs = format!("{}/$process-message", gateway.lakeside().server().base_url());
    assert_eq!(said["destination"][0]["endpoint"], theirs);
    assert_eq!(said.get("response"), None, "it answers no message");
    let task = focus(&message);
    assert_eq!(task["resourceType"], "Task");
    assert_eq!(said["focus"].as_array().unwrap().len(), 1);
    assert_eq!(
        message["entry"][1]["fullUrl"],
        format!("{}/fhir/Task/{}", gateway.public_url(), task["id"].as_str().unwrap())
    );
    assert_eq!(task["focus"]["identifier"]["value"], number(1, "ServiceRequest"));
    let request = sent_to(gateway.lakeside()).remove(0);
    assert!(request.header("x-request-id").is_some() && request.header("x-correlation-id").is_some());
}

#[tokio::test]
async fn each_guide_has_its_own_sender_focus_and_link_to_what_is_brought() {
    let brought = |head| async move {
        let (gateway, referral) = with(options(head)).await;
        gateway.clinic().accept(&referral);
        gateway.settle().await;
        gateway.clinic().report_results(&referral);
        gateway.settle().await;
        let mut all = messages(&gateway);
        (all.remove(0), all.remove(0))
    };

    let (_, cow) = brought(COW).await;
    let output = &part(&cow, "Task")["output"][0]["valueReference"];
    assert_eq!(output["type"], "DiagnosticReport");
    assert_eq!(
        types(&cow),
        [
            "MessageHeader",
            "Task",
            "DiagnosticReport",
            "Observation",
            "Observation",
            "Organization",
            "Organization"
        ]
    );

    let (_, bser) = brought(BSER).await;
    assert_eq!(part(&bser, "Task").get("output"), None);
    assert_eq!(header(&bser)["sender"]["type"], "PractitionerRole");
    assert_eq!(header(&bser)["destination"][0]["receiver"]["type"], "PractitionerRole");
    assert_eq!(part(&bser, "PractitionerRole")["organization"]["display"], "Harbour Clinic");

    let (accepted, bars) = brought(BARS).await;
    assert_eq!(focus(&accepted)["resourceType"], "Encounter");
    assert_eq!(focus(&accepted)["status"], "in-progress");
    assert_eq!(header(&accepted)["reason"]["coding"][0]["code"], "new");
    assert_eq!(part(&accepted, "ServiceRequest")["status"], "active");
    assert_eq!(part(&accepted, "ServiceRequest")["identifier"][0]["value"], number(1, "ServiceRequest"));
    assert_eq!(part(&accepted, "Patient")["identifier"][0]["value"], number(1, "Patient"));
    assert!(header(&accepted)["definition"].is_string());
    assert!(types(&bars).contains(&"DiagnosticReport"));
}

#[tokio::test]
async fn the_digest_on_record_is_that_of_the_bytes_that_were_sent() {
    let (mut gateway, referral) = with(options(COW)).await;
    gateway.clinic().report_results(&referral);
    gateway.settle().await;

    gateway.stop().await;
    let ledger = rusqlite::Connection::open(gateway.ledger()).unwrap();
    let query = "SELECT sent_sha256 FROM delivery WHERE sent_sha256 IS NOT NULL";
    let recorded: String = ledger.query_row(query, [], |row| row.get(0)).unwrap();

    let body = sent_to(gateway.lakeside()).remove(0).body;
    let recorded: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&recorded[at..at + 2], 16).unwrap()).collect();
    assert_eq!(recorded, digest(&SHA256, &body).as_ref());
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_goes_again_as_it_was_and_is_taken_once() {
    for head in [COW, BSER, BARS] {
        let (gateway, referral) = with_fault(head, Misbehaviour::ApplyThenDrop).await;
        assert_eq!(state(&gateway).await.0, DeliveryState::UnknownWait, "{head}");

        gateway.after(QUIET).await;

        let sent = sent_to(gateway.lakeside());
        assert_eq!(sent.len(), 2, "{head}");
        assert_eq!(sent[0].body, sent[1].body, "{head}");
        assert_eq!(sent[0].header("x-request-id"), sent[1].header("x-request-id"), "{head}");
        assert_eq!(state(&gateway).await, (DeliveryState::Delivered, None), "{head}");
        assert_eq!(gateway.lakeside().server().history("Task").len(), 1, "{head}: one effect");

        gateway.clinic().complete(&referral);
        gateway.settle().await;

        let all = messages(&gateway);
        assert_ne!(all[2]["id"], all[1]["id"], "{head}: another version is another message");
        assert_ne!(header(&all[2])["id"], header(&all[1])["id"], "{head}");
        assert_eq!(only(&gateway, "Task")["status"], "completed", "{head}");
    }
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_before_it_was_recorded_is_one_effect() {
    let (mut gateway, referral) = with(options(COW)).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.stop().await;
    let ledger = rusqlite::Connection::open(gateway.ledger()).unwrap();
    ledger
        .execute_batch(
            "UPDATE delivery SET state = 1 WHERE share IS NOT NULL;
             UPDATE lane SET lease_until_ms = 1, lease_owner = 'only' WHERE endpoint <> '@clinic';",
        )
        .unwrap();
    drop(ledger);

    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(state(&gateway).await.1.as_deref(), Some("interrupted"));
    gateway.after(QUIET).await;

    let sent = sent_to(gateway.lakeside());
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body);
    assert_eq!(gateway.lakeside().server().history("Task").len(), 1);
    assert_eq!(state(&gateway).await.0, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_fatal_error_ends_it_and_says_so() {
    for head in [COW, BARS] {
        let (gateway, _) = with_fault(head, Misbehaviour::Replied(Response::FatalError)).await;

        assert_eq!(state(&gateway).await, (DeliveryState::Dead, Some("fatal-error".to_owned())), "{head}");
        assert!(gateway.log_text().contains("fatal-error"));
        assert_eq!(messages(&gateway).len(), 1, "{head}");
    }
}

#[tokio::test]
async fn a_transient_error_is_tried_again() {
    let (gateway, _) = with_fault(COW, Misbehaviour::Replied(Response::TransientError)).await;
    assert_eq!(state(&gateway).await, (DeliveryState::RetryWait, Some("transient-error".to_owned())));

    gateway.after(QUIET).await;

    assert_eq!(state(&gateway).await, (DeliveryState::Delivered, None));
    assert_eq!(gateway.lakeside().server().history("Task").len(), 1);
}

#[tokio::test]
async fn a_reply_to_another_message_is_no_answer_to_this_one() {
    let other = json!({ "resourceType": "Bundle", "type": "message", "entry": [{ "resource": {
        "resourceType": "MessageHeader", "response": { "identifier": "another", "code": "ok" },
    } }] });
    let (gateway, _) = with_fault(COW, Misbehaviour::WrongContent(other)).await;
    let unknown = the_one(&gateway, DeliveryState::UnknownWait).await;
    assert_eq!(unknown.reason.as_deref(), Some("reply-to-another"));

    gateway.after(QUIET).await;

    assert_eq!(state(&gateway).await.0, DeliveryState::Delivered);
    assert_eq!(messages(&gateway).len(), 2);
}

#[tokio::test]
async fn what_a_reply_quotes_is_what_the_guide_says() {
    let (gateway, referral) = with(options(BSER)).await;
    gateway.lakeside().server().set_messaging(Messaging { quotes: ReplyTo::Bundle, ..Messaging::default() });
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    assert_eq!(state(&gateway).await.1.as_deref(), Some("reply-to-another"));
}

#[tokio::test]
async fn success_without_a_reply_is_success() {
    let outcome = json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "information", "code": "informational" }] });
    let answers: [(u16, String); 4] =
        [(200, String::new()), (202, String::new()), (204, String::new()), (200, outcome.to_string())];
    for (status, body) in answers {
        let answer = Misbehaviour::Raw { status, headers: Vec::new(), body: body.clone().into() };
        let (gateway, _) = with_fault(COW, answer).await;

        assert_eq!(state(&gateway).await, (DeliveryState::Delivered, None), "{status} {body}");
    }
}

#[tokio::test]
async fn success_with_something_else_is_not() {
    let error =
        json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": "invalid" }] });
    for body in ["<html>Sign in</html>".to_owned(), error.to_string(), "{\"done\":true}".to_owned()] {
        let answer = Misbehaviour::Raw { status: 200, headers: Vec::new(), body: body.clone().into() };
        let (gateway, _) = with_fault(COW, answer).await;

        assert_eq!(state(&gateway).await.0, DeliveryState::UnknownWait, "{body}");
        gateway.after(QUIET).await;
        assert_eq!(state(&gateway).await.0, DeliveryState::Delivered, "{body}");
    }
}

#[tokio::test]
async fn an_error_status_counts_as_it_does_elsewhere() {
    let outcome = |code: &str| json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": code }] });
    let refused = |status, code| {
        let body = Some(outcome(code));
        Misbehaviour::Status { status, retry_after: None, body }
    };
    let cases = [
        (BARS, refused(425, "duplicate"), DeliveryState::RetryWait),
        (BARS, refused(409, "duplicate"), DeliveryState::Delivered),
        (BARS, refused(409, "conflict"), DeliveryState::RetryWait),
        (COW, refused(409, "duplicate"), DeliveryState::RetryWait),
        (COW, refused(422, "processing"), DeliveryState::Dead),
        (COW, refused(422, "transient"), DeliveryState::RetryWait),
        (COW, refused(404, "not-found"), DeliveryState::Dead),
        (COW, refused(503, "transient"), DeliveryState::UnknownWait),
    ];
    for (head, misbehaviour, expected) in cases {
        let told = format!("{head}: {misbehaviour:?}");
        let (mut gateway, _) = with_fault(head, misbehaviour).await;
        gateway.expect_leftovers();

        assert_eq!(state(&gateway).await.0, expected, "{told}");
    }
}

#[tokio::test]
async fn a_fatal_reply_ends_it_whatever_the_status_is() {
    let (gateway, referral) = with(options(COW)).await;
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::DropBeforeApply).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let quoted = header(&messages(&gateway)[0])["id"].clone();
    let reply = json!({ "resourceType": "Bundle", "type": "message", "entry": [{ "resource": {
        "resourceType": "MessageHeader", "response": { "identifier": quoted, "code": "fatal-error" },
    } }] });
    let refused = Misbehaviour::Status { status: 500, retry_after: None, body: Some(reply) };
    gateway.lakeside().server().faults().push(Fault::new(refused).on("POST", ""));

    gateway.after(QUIET).await;

    assert_eq!(state(&gateway).await, (DeliveryState::Dead, Some("fatal-error".to_owned())));
}

#[tokio::test]
async fn consent_that_is_withdrawn_before_a_repeat_stops_it() {
    let (gateway, referral) = with_fault(COW, Misbehaviour::DropBeforeApply).await;

    gateway.clinic().record_consent(&referral, ConsentSays::Deny);
    gateway.after(QUIET).await;

    assert_eq!(messages(&gateway).len(), 1);
    let held = the_one(&gateway, DeliveryState::Held).await;
    assert_eq!(held.reason.as_deref(), Some("provision-deny"));
}

#[tokio::test]
async fn a_denial_while_a_message_is_under_way_is_on_record() {
    let (mut gateway, referral) = with(options(COW)).await;
    let (clinic, of) = (gateway.clinic().clone(), referral.clone());
    let deny = move || drop(clinic.record_consent(&of, ConsentSays::Deny));
    gateway.lakeside().server().faults().push(Fault::meanwhile(deny).on("POST", "$process-message"));
    gateway.expect_error_line("late revocation");

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    assert_eq!(state(&gateway).await, (DeliveryState::Delivered, Some("late-revocation".to_owned())));
}

#[tokio::test]
async fn a_task_that_the_agreement_does_not_cover_is_named_and_does_not_go() {
    let options = Options { share: &["results"], ..options(COW) };
    let (gateway, referral) = with(options).await;
    gateway.clinic().report_results(&referral);
    gateway.settle().await;

    let message = messages(&gateway).remove(0);

    assert!(!types(&message).contains(&"Task"));
    let named = &header(&message)["focus"][0];
    assert_eq!(named.get("reference"), None);
    assert_eq!(named["type"], "Task");
    assert!(named["identifier"]["value"].as_str().unwrap().starts_with("ref-"));
}

#[tokio::test]
async fn a_task_that_consent_does_not_release_does_not_go_with_what_it_does() {
    let (gateway, referral) = with(options(COW)).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let mut task = gateway.clinic().server().read("Task", referral.task.rsplit('/').next().unwrap()).unwrap();
    let label = json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN" });
    task["meta"]["security"] = json!([label]);
    gateway.clinic().server().update(task);

    gateway.clinic().send_message(&referral, "Please call us.");
    gateway.settle().await;

    let message = messages(&gateway).into_iter().find(|it| types(it).contains(&"Communication")).unwrap();
    assert!(!types(&message).contains(&"Task"));
    assert_eq!(header(&message)["focus"][0]["type"], "Task");
    assert_eq!(messages(&gateway).len(), 2, "the Task itself is held");
}

/// What one guide or the other wants in a MessageHeader.
fn what_guides_need() -> Value {
    let us = json!({ "display": "Harbour Clinic" });
    json!({
        "sender": { "display": "Lakeside" },
        "destination": [{ "endpoint": "https://us.example/fhir", "receiver": us }],
        "reason": { "coding": [{ "system": "https://fhir.nhs.uk/CodeSystem/message-reason-bars", "code": "new" }] },
        "definition": "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral",
    })
}

#[tokio::test]
async fn where_a_guide_correlates_messages_an_update_answers_the_one_that_brought_the_referral() {
    let cow = ("http://hl7.org/fhir/uv/cow/CodeSystem/temp", "new-order");
    let bser = ("http://terminology.hl7.org/CodeSystem/v2-0003", "I12");
    let bars = ("https://fhir.nhs.uk/CodeSystem/message-events-bars", "servicerequest-request");
    for (head, event, quoted) in
        [(COW, cow, None), (BSER, bser, Some("header-1")), (BARS, bars, Some("message-1"))]
    {
        let mut gateway = TestGateway::with(options(head)).await;
        let messaging = Messaging { quotes: ReplyTo::Bundle, repeats_conflict: true };
        gateway.lakeside().server().set_messaging(if head == BARS {
            messaging
        } else {
            Messaging::default()
        });
        let mut message = people::message(1, &ReferralOptions::default(), event, "Task");
        let header = message["entry"][0]["resource"].as_object_mut().unwrap();
        header.extend(what_guides_need().as_object().unwrap().clone());
        let reply = gateway.send_message(&message).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        gateway.settle().await;
        let referral = gateway.clinic().referrals().remove(0);
        gateway.clinic().accept(&referral);

        gateway.settle().await;

        let message = messages(&gateway).pop().unwrap();
        let said = self::header(&message);
        assert_eq!(said["response"]["identifier"].as_str(), quoted, "{head}");
        assert_eq!(said["response"]["code"].as_str(), quoted.map(|_| "ok"), "{head}");
        assert_eq!(
            said["destination"][0]["endpoint"], "https://lakeside.example/fhir/$process-message",
            "{head}"
        );
        assert_eq!(state(&gateway).await.0, DeliveryState::Delivered, "{head}");
    }
}

#[tokio::test]
async fn a_message_is_in_the_version_of_its_receiver() {
    for (partner, version) in [("millpond", "3.0"), ("oakfield", "4.3"), ("summit", "5.0")] {
        let head = match partner {
            "millpond" => "fhir_version = \"3.0\"\ndialect = \"cow\"",
            "oakfield" => "fhir_version = \"4.3\"\ndialect = \"cow\"",
            _ => "fhir_version = \"5.0\"\ndialect = \"cow\"",
        };
        let options = Options {
            mode: "message",
            preset: "permit-all-authorised",
            partner_heads: BTreeMap::from([(partner, head)]),
            ..fixtures::options(partner)
        };
        let mut gateway = TestGateway::with(options).await;
        let name = format!("{partner}/complete-bundle");
        let mut case = fixtures::cases().into_iter().find(|it| it.name == name).unwrap();
        // What the partner's own Consent says is not the matter here.
        case.request["entry"]
            .as_array_mut()
            .unwrap()
            .retain(|it| it["resource"]["resourceType"] != "Consent");
        assert_eq!(fixtures::send(&mut gateway, &case).await.status, 200);
        gateway.settle().await;
        let referral = gateway.clinic().referrals().remove(0);
        gateway.clinic().send_message(&referral, "Please call us.");

        gateway.settle().await;

        let server = gateway.partner(partner).server();
        let request = sent_to(gateway.partner(partner)).remove(0);
        let media_type = format!("application/fhir+json; fhirVersion={version}");
        assert_eq!(request.header("content-type"), Some(media_type.as_str()), "{partner}");
        let message = request.json();
        let (event, payload) = match version {
            "3.0" => ("event", "contentString"),
            "5.0" => ("eventCoding", "contentCodeableConcept"),
            _ => ("eventCoding", "contentString"),
        };
        assert_eq!(header(&message)[event]["code"], "order-update", "{partner}");
        assert_eq!(header(&message)["timestamp"].is_string(), version == "3.0", "{partner}");
        assert!(part(&message, "Communication")["payload"][0].get(payload).is_some(), "{partner}");
        assert_eq!(server.all("Communication").len(), 1, "{partner}");
        assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered, "{partner}");
    }
}

#[tokio::test]
async fn a_partner_whose_guide_has_no_messages_is_told_by_check_and_by_its_deliveries() {
    let (mut gateway, referral) = with(options("dialect = \"plain\"")).await;
    gateway.expect_leftovers();
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let checked = run(&["check", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_eq!(checked.status.code(), Some(78));
    let told = err(&checked);
    assert!(
        told.contains("partners/lakeside.toml, outbound.mode: the dialect plain has no messages"),
        "{told}"
    );
    assert_eq!(state(&gateway).await, (DeliveryState::RetryWait, Some("no-messages".to_owned())));
    assert!(messages(&gateway).is_empty());
}

#[tokio::test]
async fn a_clinic_can_say_what_messages_of_plain_fhir_look_like() {
    let plain =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/dialects/plain/dialect.toml"));
    let section = "[message]\nevent_system = \"urn:ours\"\nnew_event = \"new\"\nupdate_event = \"new\"\n\
                   reply_event = \"update\"\nfocus = [\"Task\"]\nheader_needs = [\"focus\"]\n\n[[transitions]]";
    let own = plain.unwrap().replacen("[[transitions]]", section, 1);
    let (gateway, referral) = with(Options {
        profiles: vec![("dialects/plain/dialect.toml", own)],
        ..options("dialect = \"plain\"")
    })
    .await;
    gateway.clinic().schedule(&referral);
    gateway.settle().await;
    let checked = run(&["check", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    let message = messages(&gateway).into_iter().find(|it| types(it).contains(&"Appointment")).unwrap();
    let named: Vec<&Value> =
        header(&message)["focus"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(named, ["Task", "Appointment"]);
    only(&gateway, "Appointment");
}

#[tokio::test]
async fn a_bare_task_of_such_a_partner_is_read_from_its_server() {
    let mut gateway = TestGateway::with(options(COW)).await;
    let task = gateway.keep_at_lakeside(&people::referral(1, &ReferralOptions::default()));

    let reply = gateway.send_task(&task).await;
    gateway.settle().await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(gateway.clinic().referrals().len(), 1);
}
