//! Something that may be there twice is looked for until it is known, or people must look (reference: delivery
//! B5, F11).

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, SearchIndex};

use super::{only, sent, the_one, updates};
use crate::support::{Options, TestGateway};

const QUIET: Duration = Duration::from_secs(61);

/// An update whose first answer was lost, at a partner whose searches do not find what was written since.
async fn lost_behind_a_lagging_index(misbehaviour: Misbehaviour, lines: &'static str) -> TestGateway {
    let mut gateway = TestGateway::with(Options { partner_lines: lines, ..Options::default() }).await;
    let referral = gateway.referral(1).await;
    let server = gateway.lakeside().server();
    server.set_search_index(SearchIndex::Lagging);
    server.faults().push(Fault::new(misbehaviour).on("POST", ""));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.after(QUIET).await;
    gateway
}

#[tokio::test]
async fn a_double_behind_an_index_that_lags_longer_than_the_quiet_period_is_never_silent() {
    let mut gateway = lost_behind_a_lagging_index(Misbehaviour::ApplyThenDrop, "").await;
    assert_eq!(gateway.lakeside().server().all("Task").len(), 2);
    let waiting = the_one(&gateway, DeliveryState::UnknownWait).await;
    assert_eq!((waiting.reason.as_deref(), waiting.placed.as_deref()), (Some("verifying"), Some("Task/2")));

    gateway.restart().await;
    gateway.lakeside().server().set_search_index(SearchIndex::Current);
    gateway.after(QUIET).await;

    let quarantined = the_one(&gateway, DeliveryState::Quarantined).await;
    assert_eq!(quarantined.reason.as_deref(), Some("several-matches"));
}

#[tokio::test]
async fn the_first_of_two_alone_in_the_index_is_not_taken_for_the_only_one() {
    let gateway = lost_behind_a_lagging_index(Misbehaviour::ApplyThenDrop, "").await;
    let server = gateway.lakeside().server();
    let hidden = server.read("Task", "2").unwrap();
    server.delete("Task", "2");
    server.set_search_index(SearchIndex::Current);
    server.set_search_index(SearchIndex::Lagging);
    server.update(hidden);

    gateway.after(QUIET).await;

    the_one(&gateway, DeliveryState::Quarantined).await;
}

#[tokio::test]
async fn what_was_written_once_is_delivered_when_the_index_shows_it() {
    let gateway = lost_behind_a_lagging_index(Misbehaviour::DropBeforeApply, "").await;

    gateway.after(QUIET).await;
    the_one(&gateway, DeliveryState::UnknownWait).await;
    gateway.lakeside().server().set_search_index(SearchIndex::Current);
    gateway.after(Duration::from_mins(5)).await;

    assert_eq!(sent(&gateway), ["POST Task", "POST Task"]);
    only(&gateway, "Task");
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn what_no_search_ever_shows_is_delivered_with_a_remark_and_its_next_version_replaces_it() {
    let gateway = lost_behind_a_lagging_index(Misbehaviour::DropBeforeApply, "").await;

    gateway.after(Duration::from_hours(1)).await;
    gateway.after(Duration::from_hours(1)).await;
    gateway.after(Duration::from_hours(2)).await;
    gateway.after(Duration::from_hours(3)).await;
    gateway.after(Duration::from_hours(4)).await;
    assert_eq!(updates(&gateway).await[0].reason.as_deref(), Some("not-verified"));
    let referral = gateway.clinic().referrals().remove(0);
    gateway.clinic().complete(&referral);
    gateway.settle().await;

    assert_eq!(sent(&gateway), ["POST Task", "POST Task", "PUT Task 1"]);
    assert_eq!(only(&gateway, "Task")["status"], "completed");
}

#[tokio::test]
async fn a_look_that_fails_forgets_nothing() {
    let gateway = lost_behind_a_lagging_index(Misbehaviour::ApplyThenDrop, "").await;
    gateway.lakeside().server().faults().push(Fault::status(500).on("GET", "Task"));

    gateway.after(QUIET).await;
    gateway.lakeside().server().set_search_index(SearchIndex::Current);
    gateway.after(Duration::from_mins(5)).await;

    the_one(&gateway, DeliveryState::Quarantined).await;
}

#[tokio::test]
async fn nobody_looks_where_that_was_agreed() {
    let gateway =
        lost_behind_a_lagging_index(Misbehaviour::DropBeforeApply, "verify_unique = \"never\"").await;

    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn each_first_write_is_looked_for_where_that_was_agreed() {
    let options = Options { partner_lines: "verify_unique = \"always\"", ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let referral = gateway.referral(1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let searched = |path: &str| path.starts_with("/fhir/Task?identifier=");
    let requests = gateway.lakeside().server().requests();
    assert_eq!(requests.iter().filter(|it| searched(&it.path_and_query)).count(), 1);
    assert_eq!(updates(&gateway).await[0].state, DeliveryState::Delivered);
}
