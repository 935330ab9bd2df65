//! The clinic may have done it, and we were not told.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, SearchIndex};
use referral_gateway::sandbox::people::{self, ReferralOptions};

use super::clinic_faults::{assert_arrived_once, transactions, with_fault};
use crate::support::TestGateway;

const QUIET: Duration = Duration::from_secs(61);

#[tokio::test]
async fn what_was_done_without_an_answer_is_found_and_not_done_again() {
    let mut gateway = with_fault(Fault::new(Misbehaviour::ApplyThenDrop)).await;

    gateway.after(QUIET).await;

    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn what_was_done_behind_an_error_is_found_and_not_done_again() {
    for status in [408, 500, 502, 503, 504] {
        let mut gateway = with_fault(Fault::new(Misbehaviour::ApplyThenStatus(status))).await;

        gateway.after(QUIET).await;

        assert_eq!(transactions(&gateway), 1, "after {status}");
        assert_arrived_once(&mut gateway).await;
    }
}

#[tokio::test]
async fn what_was_done_by_a_clinic_that_then_says_nothing_is_found_and_not_done_again() {
    // The limit of two seconds for the clinic's answer is real time.
    let mut gateway = with_fault(Fault::new(Misbehaviour::ApplyThenHang)).await;

    gateway.after(QUIET).await;

    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn what_was_not_done_is_done_after_a_look() {
    let mut gateway = with_fault(Fault::new(Misbehaviour::DropBeforeApply)).await;

    gateway.after(QUIET).await;

    assert_eq!(transactions(&gateway), 2);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn nothing_is_looked_for_before_the_quiet_period_ends() {
    let mut gateway = with_fault(Fault::new(Misbehaviour::ApplyThenDrop)).await;

    gateway.after(Duration::from_secs(30)).await;
    assert_eq!(looks(&gateway), 0);
    gateway.after(Duration::from_secs(31)).await;

    assert_eq!(looks(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn nothing_is_looked_for_where_all_went_well() {
    let mut gateway = TestGateway::start().await;

    gateway.referral(1).await;

    assert_eq!((looks(&gateway), transactions(&gateway)), (0, 1));
}

#[tokio::test]
async fn a_search_index_that_lags_less_than_the_quiet_period_hides_nothing() {
    let mut gateway = with_lagging_index().await;

    gateway.clock().advance(Duration::from_secs(30));
    gateway.clinic().server().set_search_index(SearchIndex::Current);
    gateway.after(Duration::from_secs(31)).await;

    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_look_that_fails_is_repeated_before_anything_is_sent() {
    let mut gateway = with_fault(Fault::new(Misbehaviour::ApplyThenDrop)).await;
    gateway.clinic().server().faults().push(Fault::status(500).on("GET", "ServiceRequest"));

    gateway.after(QUIET).await;
    assert_eq!((transactions(&gateway), looks(&gateway)), (1, 1));
    gateway.after(Duration::from_mins(3)).await;

    assert_eq!((transactions(&gateway), looks(&gateway)), (1, 2));
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn two_of_what_must_be_one_are_never_taken_for_one() {
    let gateway = with_fault(Fault::new(Misbehaviour::ApplyThenDrop)).await;
    let mut twin = gateway.clinic().server().all("ServiceRequest")[0].clone();
    twin.as_object_mut().unwrap().remove("id");
    gateway.clinic().server().create(twin);

    gateway.after(Duration::from_hours(80)).await;

    assert_eq!(transactions(&gateway), 1);
    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 0);
    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
    assert_eq!(quarantined[0].reason.as_deref(), Some("several-matches"));
}

async fn with_lagging_index() -> TestGateway {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().set_search_index(SearchIndex::Lagging);
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;
    gateway
}

/// How often the gateway searched for its own order.
fn looks(gateway: &TestGateway) -> usize {
    let is_look = |path: &str| path.starts_with("/fhir/ServiceRequest?identifier=");
    gateway.clinic().server().requests().iter().filter(|it| is_look(&it.path_and_query)).count()
}
