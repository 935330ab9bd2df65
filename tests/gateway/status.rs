//! The operator's first question, from the command line.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use crate::process::{err, lines, out, run};
use crate::support::TestGateway;

#[tokio::test]
async fn status_names_the_side_that_is_down_and_the_command_to_type() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().stop().await;
    gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.work().await;
    let folder = gateway.folder().to_str().unwrap();

    let people = run(&["status", "--config", folder]).await;
    let programs = run(&["status", "--json", "--config", folder]).await;

    let told = out(&people);
    for words in [
        "The gateway is well.",
        "1 deliveries recorded: 0 at their end, 1 not.",
        "@clinic  retry-wait  not-connected  1 since 2026-03-10T15:00:00Z, next at 2026-03-10T15:00:",
        "The server of the clinic does not answer",
        "deliveries list --state retry-wait",
    ] {
        assert!(told.contains(words), "`{words}` is not in:\n{told}{}", err(&people));
    }
    gateway.assert_no_patient_in(&told);
    let shown = lines(&programs).remove(0);
    assert_eq!((&shown["gateway"]["ready"], &shown["conservation_gap"]), (&json!(true), &json!(0)));
    assert_eq!(shown["waiting"][0]["count"], 1);
}

#[tokio::test]
async fn status_is_told_of_a_gateway_that_is_down() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;
    gateway.stop().await;

    let people = run(&["status", "--config", gateway.folder().to_str().unwrap()]).await;

    let told = out(&people);
    assert!(told.starts_with("No gateway answers at 127.0.0.1:"), "{told}{}", err(&people));
    assert!(told.contains("1 deliveries recorded: 1 at their end, 0 not."), "{told}");
    assert_eq!(people.status.code(), Some(0));
}

#[tokio::test]
async fn status_says_when_no_referrals_are_taken() {
    let limits = "undelivered = 1\nfree_disk_bytes = 0\nfree_disk_percent = 0\nballast_bytes = 0";
    let mut gateway = TestGateway::with(crate::support::Options { limits, ..Default::default() }).await;
    for seed in [1, 2] {
        gateway.send_bundle("lakeside", &people::referral(seed, &ReferralOptions::default())).await;
    }
    gateway.gateway().look_at_pressure().await;
    gateway.expect_leftovers();

    let people = run(&["status", "--config", gateway.folder().to_str().unwrap()]).await;

    let told = out(&people);
    assert!(told.contains("The gateway answers; no new referrals are taken: undelivered."), "{told}");
}
