//! What is stored is not what was written (reference: delivery F47, F48): that row alone is put aside and
//! named, the rest goes on.

use std::fs;

use referral_gateway::model::delivery::{Delivery, DeliveryState};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use rusqlite::Connection;

use super::world::World;
use crate::process::Serving;
use crate::support::{Options, TestGateway};

/// Changes what is stored of the oldest of three referrals before any of them was forwarded.
async fn one_of_three(change: &str) -> TestGateway {
    let options = Options { partners: vec!["lakeside", "hillside"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    for (seed, partner) in [(1, "lakeside"), (2, "lakeside"), (3, "hillside")] {
        let bundle = people::referral(seed, &ReferralOptions::default());
        assert_eq!(gateway.send_bundle(partner, &bundle).await.status, 200);
    }
    tamper(&gateway, change);
    gateway.settle().await;
    gateway
}

fn tamper(gateway: &TestGateway, change: &str) {
    let ledger = Connection::open(gateway.ledger()).unwrap();
    assert_eq!(ledger.execute(change, []).unwrap(), 1, "{change}");
}

fn assert_named(gateway: &TestGateway, delivery: &Delivery) {
    assert_eq!(delivery.reason.as_deref(), Some("payload-unreadable"));
    let log = gateway.log_text();
    let line = log.lines().find(|it| it.contains("a delivery is quarantined")).expect("it is logged");
    assert!(
        line.contains(&delivery.id.to_string()) && line.contains(&delivery.referral.to_string()),
        "{line}"
    );
}

#[tokio::test]
async fn a_damaged_body_is_put_aside_and_named_and_the_others_arrive() {
    let oldest = "(SELECT payload_id FROM payload ORDER BY created_ms, payload_id LIMIT 1)";
    // The last four bytes of the authentication tag.
    let torn = "substr(ciphertext, 1, length(ciphertext) - 4) || x'00000000'";
    for change in [
        format!("UPDATE payload SET ciphertext = CAST({torn} AS BLOB) WHERE payload_id = {oldest}"),
        format!("UPDATE payload SET ciphertext = x'00' WHERE payload_id = {oldest}"),
        format!("UPDATE payload SET wrapped_key = zeroblob(60) WHERE payload_id = {oldest}"),
        format!("UPDATE payload SET wrapped_key = NULL WHERE payload_id = {oldest}"),
    ] {
        let gateway = one_of_three(&change).await;

        let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
        assert_eq!(quarantined.len(), 1, "{change}");
        assert_named(&gateway, &quarantined[0]);
        assert_eq!(gateway.clinic().referrals().len(), 2);
    }
}

/// The right body under the wrong partner or the wrong referral does not open.
#[tokio::test]
async fn a_body_that_was_moved_to_another_partner_or_referral_reaches_nobody() {
    for change in [
        "UPDATE referral SET partner_id = 'hillside' WHERE referral_id =
           (SELECT referral_id FROM referral ORDER BY referral_id LIMIT 1)",
        "UPDATE referral SET payload_id = (SELECT MAX(payload_id) FROM payload) WHERE referral_id =
           (SELECT referral_id FROM referral ORDER BY referral_id LIMIT 1)",
    ] {
        let gateway = one_of_three(change).await;

        let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
        assert_eq!(quarantined.len(), 1);
        assert_named(&gateway, &quarantined[0]);
        assert_eq!(gateway.clinic().referrals().len(), 2);
    }
}

#[tokio::test]
async fn a_purged_body_is_told_apart_from_a_damaged_one() {
    let oldest = "(SELECT payload_id FROM payload ORDER BY created_ms, payload_id LIMIT 1)";
    let purged = "UPDATE payload SET wrapped_key = NULL, ciphertext = NULL WHERE payload_id =";

    let gateway = one_of_three(&format!("{purged} {oldest}")).await;

    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].reason.as_deref(), Some("payload-purged"));
    assert_eq!(gateway.clinic().referrals().len(), 2);
}

#[tokio::test]
async fn an_update_whose_referral_cannot_be_read_back_is_put_aside_and_the_others_arrive() {
    let mut gateway = TestGateway::start().await;
    let damaged = gateway.referral(1).await;
    let whole = gateway.referral(2).await;
    tamper(
        &gateway,
        "UPDATE payload SET ciphertext = x'00' WHERE payload_id = (SELECT MIN(payload_id) FROM payload)",
    );

    gateway.clinic().accept(&damaged);
    gateway.clinic().accept(&whole);
    gateway.settle().await;

    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
    assert_eq!(quarantined.len(), 1);
    assert_named(&gateway, &quarantined[0]);
    assert_eq!(gateway.lakeside().server().all("Task").len(), 1);
}

#[tokio::test]
async fn an_update_whose_referral_was_purged_says_so() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    tamper(&gateway, "UPDATE payload SET wrapped_key = NULL, ciphertext = NULL");

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
    assert_eq!(quarantined[0].reason.as_deref(), Some("payload-purged"));
    assert!(gateway.lakeside().server().all("Task").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_its_key_does_not_start_and_makes_no_other() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    serving.kill();
    let key = world.folder().join("gateway.key");
    let kept = fs::read(&key).unwrap();

    for bytes in [None, Some(vec![1; 32]), Some(vec![1; 31])] {
        match &bytes {
            None => fs::remove_file(&key).unwrap(),
            Some(bytes) => fs::write(&key, bytes).unwrap(),
        }
        let starting = Serving::spawn(world.folder(), &[]);
        let (status, log) = tokio::task::spawn_blocking(|| starting.wait_for_end()).await.unwrap();

        assert!(!status.success());
        assert!(log.contains("key"), "{log}");
        assert_eq!(key.exists(), bytes.is_some(), "no other key is made");
    }
    fs::write(&key, kept).unwrap();
    drop(world.serve());
}
