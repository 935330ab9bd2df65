//! The ways to write a referral once at clinics that offer few of them (reference: delivery B5).

use std::time::Duration;

use referral_gateway::model::delivery::{DeliveryState, Owed};
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, Offers, SearchIndex};
use referral_gateway::sandbox::people::{self, ReferralOptions};

use super::clinic_faults::assert_arrived_once;
use crate::support::{Options, TestGateway};

const QUIET: Duration = Duration::from_secs(61);
const CLIENT_ID: Offers = Offers { update_create: true, ..Offers::NOTHING };
const CONDITIONAL_UPDATE: Offers = Offers { conditional_update: true, ..Offers::NOTHING };
const CONDITIONAL_CREATE: Offers = Offers { conditional_create: true, ..Offers::NOTHING };

async fn send(gateway: &mut TestGateway) {
    let bundle = people::referral(1, &ReferralOptions::default());
    assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    gateway.settle().await;
}

async fn offering(offers: Offers) -> TestGateway {
    let gateway = TestGateway::start().await;
    gateway.clinic().server().set_offers(offers);
    gateway
}

/// Every reference of the order and its Task leads to something that is there.
fn assert_whole(gateway: &TestGateway) {
    let server = gateway.clinic().server();
    for resource in
        server.all("ServiceRequest").iter().chain(&server.all("Task")).chain(&server.all("Provenance"))
    {
        let text = resource.to_string();
        assert!(!text.contains("urn:uuid:00000000"), "{text}");
    }
    let order = &server.all("ServiceRequest")[0];
    let patient = order["subject"]["reference"].as_str().unwrap().strip_prefix("Patient/").unwrap();
    assert!(server.read("Patient", patient).is_some());
    let focus = server.all("Task")[0]["focus"]["reference"].as_str().unwrap().to_owned();
    assert_eq!(focus, format!("ServiceRequest/{}", order["id"].as_str().unwrap()));
}

#[tokio::test]
async fn each_way_that_a_clinic_offers_brings_the_whole_referral_once() {
    for offers in [CLIENT_ID, CONDITIONAL_UPDATE, CONDITIONAL_CREATE, Offers::default()] {
        let mut gateway = offering(offers).await;

        send(&mut gateway).await;

        let server = gateway.clinic().server();
        let counts = ["Patient", "ServiceRequest", "Task", "Provenance"].map(|it| server.all(it).len());
        assert_eq!(counts, [1; 4], "{offers:?}");
        assert_whole(&gateway);
        assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 1);
    }
}

#[tokio::test]
async fn what_was_broken_off_is_taken_up_where_it_broke_off() {
    for (offers, method) in [(CLIENT_ID, "PUT"), (CONDITIONAL_UPDATE, "PUT"), (CONDITIONAL_CREATE, "POST")] {
        for fault in [Misbehaviour::ApplyThenDrop, Misbehaviour::DropBeforeApply] {
            let mut gateway = offering(offers).await;
            gateway.clinic().server().faults().push(Fault::new(fault).on(method, "Task"));

            send(&mut gateway).await;
            assert_eq!(gateway.deliveries(DeliveryState::UnknownWait).await.len(), 1);
            gateway.after(QUIET).await;

            let server = gateway.clinic().server();
            let counts = ["Patient", "ServiceRequest", "Task", "Provenance"].map(|it| server.all(it).len());
            assert_eq!(counts, [1; 4], "{offers:?}");
            assert_whole(&gateway);
            let delivered = gateway.deliveries(DeliveryState::Delivered).await;
            assert_eq!(delivered.iter().filter(|it| it.task == Owed::Forward).count(), 1);
        }
    }
}

#[tokio::test]
async fn a_clinic_that_offers_no_way_gets_nothing_and_the_referral_waits() {
    let mut gateway = offering(Offers::NOTHING).await;

    send(&mut gateway).await;
    let waiting = gateway.deliveries(DeliveryState::RetryWait).await.remove(0);
    assert_eq!((waiting.attempts, waiting.reason.as_deref()), (0, Some("no-way-to-write-once")));
    assert!(gateway.clinic().server().requests().iter().all(|it| it.method == "GET"));
    gateway.clinic().server().set_offers(Offers::default());
    gateway.after(Duration::from_hours(1)).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_way_that_was_agreed_needs_no_word_of_the_clinics() {
    let options = Options { clinic_lines: "effects = \"transaction\"", ..Options::default() };
    let mut gateway = TestGateway::with(options).await;

    send(&mut gateway).await;

    let asked = |path: &str| path.starts_with("/fhir/metadata");
    assert!(gateway.clinic().server().requests().iter().all(|it| !asked(&it.path_and_query)));
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_referral_whose_outcome_is_unknown_is_for_people_where_at_most_once_was_agreed() {
    let options = Options { clinic_lines: "effects = \"at-most-once\"", ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let fault = Fault::new(Misbehaviour::DropBeforeApply).on("POST", "ServiceRequest");
    gateway.clinic().server().faults().push(fault);

    send(&mut gateway).await;
    gateway.after(QUIET).await;

    assert!(gateway.clinic().server().all("ServiceRequest").is_empty());
    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await.remove(0);
    assert_eq!(quarantined.reason.as_deref(), Some("outcome-unknown"));
}

#[tokio::test]
async fn a_double_behind_an_index_that_lags_longer_than_the_quiet_period_is_never_silent() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().set_search_index(SearchIndex::Lagging);
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
    send(&mut gateway).await;

    gateway.after(QUIET).await;
    assert_eq!(gateway.clinic().server().all("ServiceRequest").len(), 2);
    let waiting = gateway.deliveries(DeliveryState::UnknownWait).await.remove(0);
    assert_eq!(waiting.reason.as_deref(), Some("verifying"));
    gateway.after(QUIET).await;
    assert_eq!(gateway.clinic().server().all("ServiceRequest").len(), 2);
    gateway.clinic().server().set_search_index(SearchIndex::Current);
    gateway.after(Duration::from_mins(5)).await;

    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await.remove(0);
    assert_eq!(quarantined.reason.as_deref(), Some("several-matches"));
}

#[tokio::test]
async fn a_referral_that_was_written_again_is_done_when_the_index_shows_that_it_is_the_only_one() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().set_search_index(SearchIndex::Lagging);
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::DropBeforeApply).on("POST", ""));
    send(&mut gateway).await;

    gateway.after(QUIET).await;
    assert_eq!(gateway.deliveries(DeliveryState::UnknownWait).await.len(), 1);
    gateway.clinic().server().set_search_index(SearchIndex::Current);
    gateway.after(QUIET).await;

    assert_arrived_once(&mut gateway).await;
}
