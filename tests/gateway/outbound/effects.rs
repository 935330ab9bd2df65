//! The ways to write an update once (reference: delivery B5), and servers that offer few of them.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, Offers, SearchIndex};
use serde_json::json;

use super::{only, sent, the_one, updates};
use crate::support::{Options, TestGateway};

const QUIET: Duration = Duration::from_secs(61);
const CLIENT_ID: Offers = Offers { update_create: true, ..Offers::NOTHING };
const CONDITIONAL_UPDATE: Offers = Offers { conditional_update: true, ..Offers::NOTHING };
const CONDITIONAL_CREATE: Offers = Offers { conditional_create: true, ..Offers::NOTHING };

/// A gateway whose partner offers this, and a referral at the clinic.
async fn with(offers: Offers, options: Options) -> (TestGateway, ClinicReferral) {
    let mut gateway = TestGateway::with(options).await;
    gateway.lakeside().server().set_offers(offers);
    let referral = gateway.referral(1).await;
    (gateway, referral)
}

async fn offering(offers: Offers) -> (TestGateway, ClinicReferral) {
    with(offers, Options::default()).await
}

async fn agreed(lines: &'static str) -> (TestGateway, ClinicReferral) {
    with(Offers::NOTHING, Options { partner_lines: lines, ..Options::default() }).await
}

#[tokio::test]
async fn each_way_that_a_server_offers_writes_an_update_and_its_next_version_once() {
    for offers in [CLIENT_ID, CONDITIONAL_UPDATE, CONDITIONAL_CREATE, Offers::default()] {
        let (gateway, referral) = offering(offers).await;
        gateway.clinic().accept(&referral);
        gateway.settle().await;
        gateway.clinic().complete(&referral);
        gateway.settle().await;

        assert_eq!(only(&gateway, "Task")["status"], "completed", "{offers:?}");
        assert_eq!(only(&gateway, "Task")["meta"]["versionId"], "2");
    }
}

#[tokio::test]
async fn each_way_brings_a_report_with_its_observations_once_and_again_when_it_is_corrected() {
    for offers in [CLIENT_ID, CONDITIONAL_UPDATE, CONDITIONAL_CREATE, Offers::default()] {
        let (gateway, referral) = offering(offers).await;
        gateway.clinic().report_results(&referral);
        gateway.settle().await;

        let report = only(&gateway, "DiagnosticReport");
        let observations = gateway.lakeside().server().all("Observation");
        let names: Vec<_> =
            observations.iter().map(|it| format!("Observation/{}", it["id"].as_str().unwrap())).collect();
        let referred: Vec<_> =
            report["result"].as_array().unwrap().iter().map(|it| it["reference"].clone()).collect();
        assert_eq!(referred, names, "{offers:?}");
    }
}

#[tokio::test]
async fn each_way_finds_what_it_wrote_when_the_answer_was_lost() {
    for (offers, method) in [(CLIENT_ID, "PUT"), (CONDITIONAL_UPDATE, "PUT"), (CONDITIONAL_CREATE, "POST")] {
        for misbehaviour in [Misbehaviour::ApplyThenDrop, Misbehaviour::DropBeforeApply] {
            let (gateway, referral) = offering(offers).await;
            let fault = Fault::new(misbehaviour.clone()).on(method, "Task");
            gateway.lakeside().server().faults().push(fault);
            gateway.clinic().accept(&referral);
            gateway.settle().await;
            gateway.after(QUIET).await;

            assert_eq!(only(&gateway, "Task")["status"], "accepted", "{offers:?} {misbehaviour:?}");
            assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
        }
    }
}

#[tokio::test]
async fn what_stands_under_our_id_is_never_written_over() {
    let (gateway, referral) = offering(CLIENT_ID).await;
    let server = gateway.lakeside().server().clone();
    server.faults().push(Fault::new(Misbehaviour::DropBeforeApply).on("PUT", "Task"));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let id = the_one(&gateway, DeliveryState::UnknownWait).await.id.to_string();
    // The first request arrives after all, while its successor is under way; somebody goes on from it.
    let late = json!({ "resourceType": "Task", "id": id, "status": "in-progress" });
    let writer = server.clone();
    server.faults().push(Fault::meanwhile(move || drop(writer.update(late.clone()))).on("GET", "Task"));

    gateway.after(QUIET).await;

    assert_eq!(only(&gateway, "Task")["status"], "in-progress");
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_server_that_offers_no_way_gets_nothing_until_it_does_or_a_way_is_agreed() {
    let (gateway, referral) = offering(Offers::NOTHING).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let waiting = the_one(&gateway, DeliveryState::RetryWait).await;
    gateway.after(Duration::from_hours(1)).await;
    assert_eq!(sent(&gateway), [""; 0]);
    gateway.lakeside().server().set_offers(Offers::default());
    gateway.after(Duration::from_hours(1)).await;

    assert_eq!((waiting.attempts, waiting.reason.as_deref()), (0, Some("no-way-to-write-once")));
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn what_a_server_offers_is_asked_once_and_again_when_it_was_wrong() {
    let (gateway, referral) = offering(CONDITIONAL_UPDATE).await;
    let asked = || {
        let requests = gateway.lakeside().server().requests();
        requests.iter().filter(|it| it.path_and_query == "/fhir/metadata").count()
    };
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.clinic().send_message(&referral, "We took it on.");
    gateway.settle().await;
    assert_eq!(asked(), 1);

    gateway.lakeside().server().set_offers(CONDITIONAL_CREATE);
    gateway.clinic().schedule(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;

    assert_eq!(asked(), 2);
    only(&gateway, "Appointment");
}

#[tokio::test]
async fn at_least_once_writes_again_what_cannot_be_found() {
    let (gateway, referral) = agreed("effects = \"at-least-once\"\nverify_unique = \"never\"").await;
    gateway.lakeside().server().set_search_index(SearchIndex::Lagging);
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;

    assert_eq!(gateway.lakeside().server().all("Task").len(), 2);
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn at_most_once_never_writes_again_and_people_must_look() {
    let (gateway, referral) = agreed("effects = \"at-most-once\"").await;
    gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::DropBeforeApply).on("POST", ""));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;

    assert_eq!(sent(&gateway), ["POST Task"]);
    let quarantined = the_one(&gateway, DeliveryState::Quarantined).await;
    assert_eq!(quarantined.reason.as_deref(), Some("outcome-unknown"));
}

#[tokio::test]
async fn a_change_by_others_is_replaced_under_its_version_and_a_later_one_of_ours_stays() {
    let (gateway, referral) = offering(Offers::default()).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let server = gateway.lakeside().server().clone();
    let mut theirs = only(&gateway, "Task");
    theirs["status"] = json!("on-hold");
    let writer = server.clone();
    let write = move || drop(writer.update(theirs.clone()));
    server.faults().push(Fault::meanwhile(write.clone()).on("GET", "Task"));
    write();

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
}

#[tokio::test]
async fn what_a_later_update_of_ours_replaced_is_superseded() {
    let (gateway, referral) = offering(Offers::default()).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let mut later = only(&gateway, "Task");
    let names = later["identifier"].as_array_mut().unwrap();
    let ours = names.iter_mut().find(|it| it["value"].as_str().unwrap().starts_with("dlv-")).unwrap();
    ours["value"] = json!("dlv-ffffffff-ffff-7fff-bfff-ffffffffffff");
    later["status"] = json!("failed");
    gateway.lakeside().server().update(later);

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "failed");
    assert_eq!(updates(&gateway).await.last().unwrap().state, DeliveryState::Superseded);
}

#[tokio::test]
async fn what_is_gone_at_the_partner_is_written_anew() {
    let (gateway, referral) = offering(Offers::default()).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let server = gateway.lakeside().server();
    server.delete("Task", "1");

    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1", "POST Task"]);
    assert_eq!(updates(&gateway).await.last().unwrap().state, DeliveryState::Delivered);
}
