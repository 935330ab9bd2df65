//! What every test of this binary promises when it ends is kept: the watchdogs bark.

use referral_gateway::sandbox::people::{self, ReferralOptions};

use crate::support::{SECRET, TestGateway, part};

#[tokio::test]
#[should_panic(expected = "is in the log")]
async fn a_patients_name_in_the_log_fails_a_test() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.watch_for(&bundle);

    tracing::warn!(family = %part(&bundle, "Patient")["name"][0]["family"], "a careless line");
}

#[tokio::test]
#[should_panic(expected = "is in the log")]
async fn a_clients_secret_in_the_log_fails_a_test() {
    let _gateway = TestGateway::start().await;

    tracing::warn!(secret = SECRET, "a careless line");
}

#[tokio::test]
#[should_panic(expected = "an unexpected error was logged")]
async fn an_error_in_the_log_fails_a_test() {
    let _gateway = TestGateway::start().await;

    tracing::error!("something broke");
}

#[tokio::test]
async fn an_error_that_is_announced_fails_nothing() {
    let mut gateway = TestGateway::start().await;

    gateway.expect_error_line("something broke");
    tracing::error!("something broke");
}

#[tokio::test]
#[should_panic(expected = "work was left")]
async fn work_that_is_left_fails_a_test() {
    let mut gateway = TestGateway::start().await;

    gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
}

#[tokio::test]
#[should_panic(expected = "what was recorded is not what stands")]
async fn a_delivery_that_is_lost_fails_a_test() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;

    let ledger = rusqlite::Connection::open(gateway.ledger()).unwrap();
    ledger.execute_batch("DELETE FROM attempt; DELETE FROM delivery;").unwrap();
}

#[tokio::test]
async fn work_that_is_left_on_purpose_fails_nothing() {
    let mut gateway = TestGateway::start().await;

    gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.expect_leftovers();
}
