//! Watching the clinic misses nothing and repeats nothing.

use std::time::Duration;

use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour, Times};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use super::{only, sent, updates};
use crate::support::TestGateway;

const QUIET: Duration = Duration::from_secs(61);

fn write_messages(gateway: &TestGateway, referral: &ClinicReferral, count: usize) {
    for number in 0..count {
        gateway.clinic().send_message(referral, &format!("Message number {number}."));
    }
}

#[tokio::test]
async fn messages_of_one_instant_arrive_once_each_although_we_looked_between_them() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().server().set_times(Times::MayRepeat);

    write_messages(&gateway, &referral, 12);
    gateway.settle().await;
    write_messages(&gateway, &referral, 12);
    gateway.settle().await;

    assert_eq!(gateway.lakeside().server().all("Communication").len(), 24);
    assert_eq!(sent(&gateway).len(), 24);
}

#[tokio::test]
async fn more_than_two_pages_of_one_instant_are_all_noticed_once() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().server().set_times(Times::MayRepeat);
    gateway.expect_leftovers();

    write_messages(&gateway, &referral, 450);
    let owed = gateway.gateway().notice().await.unwrap();
    let again = gateway.gateway().notice().await.unwrap();

    assert_eq!((owed, again), (450, 0));
}

#[tokio::test]
async fn what_happened_while_the_gateway_was_down_is_noticed_once() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    gateway.stop().await;
    gateway.clock().advance(Duration::from_hours(2));
    gateway.clinic().complete(&referral);
    gateway.restart().await;
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "completed");
    assert_eq!(sent(&gateway), ["POST Task", "PUT Task 1"]);
}

#[tokio::test]
async fn an_answer_older_than_our_record_of_the_referral_is_noticed() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;
    let bundle = people::referral(2, &ReferralOptions::default());
    let cut = Fault::new(Misbehaviour::ApplyThenDrop).on("POST", "");
    gateway.clinic().server().faults().push(cut);
    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let early = gateway.clinic().referrals().remove(1);
    gateway.clinic().accept(&early);
    gateway.after(Duration::from_secs(30)).await;
    gateway.clinic().server().create(json!({ "resourceType": "Task", "status": "draft", "intent": "plan" }));
    gateway.after(QUIET).await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_look_at_a_clinic_that_is_down_loses_nothing() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().server().stop().await;
    gateway.clinic().accept(&referral);
    let failed = gateway.gateway().notice().await;
    gateway.clock().advance(Duration::from_hours(1));
    gateway.clinic().server().restart().await.unwrap();
    gateway.settle().await;

    assert!(failed.is_err());
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_feed_that_is_not_offered_does_not_stop_the_others() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let refuse = Fault::status(404).on("GET", "Appointment");
    gateway.clinic().server().faults().always(Some(refuse));

    gateway.clinic().report_results(&referral);
    let looked = gateway.gateway().notice().await;
    gateway.gateway().run_work().await.unwrap();

    assert!(looked.is_ok(), "a server need not offer every type");
    assert!(gateway.log_text().contains("refuses this feed"));
    assert_eq!(only(&gateway, "DiagnosticReport")["status"], "final");
}

#[tokio::test]
async fn a_next_page_at_another_server_is_not_read() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let elsewhere = format!("{}/Communication?page=2", gateway.lakeside().server().base_url());
    let page = json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{ "relation": "next", "url": elsewhere }],
    });
    let lure = Fault::new(Misbehaviour::WrongContent(page)).on("GET", "Communication");
    gateway.clinic().server().faults().push(lure);

    let lured = gateway.gateway().notice().await;
    gateway.clinic().send_message(&referral, "See you soon.");
    gateway.settle().await;

    assert!(lured.is_err());
    let requests = gateway.lakeside().server().requests().into_iter();
    let read: Vec<_> = requests.filter(|it| it.method == "GET").map(|it| it.path_and_query).collect();
    assert_eq!(read, ["/fhir/metadata"]);
    assert_eq!(sent(&gateway), ["POST Communication"]);
}

#[tokio::test]
async fn a_lagging_index_hides_nothing_for_long() {
    use referral_gateway::sandbox::fhir_server::SearchIndex;
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().server().set_search_index(SearchIndex::Lagging);

    gateway.clinic().accept(&referral);
    gateway.after(Duration::from_secs(5)).await;
    gateway.clinic().server().set_search_index(SearchIndex::Current);
    gateway.after(Duration::from_secs(5)).await;

    assert_eq!(updates(&gateway).await.len(), 1);
    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}
