//! Many at once are one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use referral_gateway::inbound::Intake;
use referral_gateway::model::envelope::{Door, Envelope};
use referral_gateway::model::ids::PartnerId;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{Call, Options, TestGateway, answered_task};

#[tokio::test]
async fn sixty_four_submissions_at_once_are_one_referral() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.watch_for(&bundle);
    let mut calls = Vec::new();
    for _ in 0..64 {
        calls.push(gateway.lakeside_calls("POST", "/fhir").await.fhir(bundle.to_string()));
    }

    let replies = all_at_once(calls).await;
    gateway.settle().await;

    let firsts = replies.iter().filter(|it| !it.headers.contains_key("idempotency-replayed")).count();
    let ids: BTreeSet<&str> = replies.iter().map(|it| answered_task(it)["id"].as_str().unwrap()).collect();
    assert!(replies.iter().all(|it| it.status == 200));
    assert_eq!((firsts, ids.len()), (1, 1));
    assert_eq!((gateway.rows("referral"), gateway.rows("delivery")), (1, 1));
    assert_eq!(gateway.clinic().referrals().len(), 1);
}

/// Over HTTP the sockets decide who meets whom. Here all have read their message before one is recorded.
#[tokio::test]
async fn sixty_four_that_are_all_about_to_be_recorded_are_one_referral() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.watch_for(&bundle);
    let doors = gateway.gateway().parts().doors.clone();
    let partner = doors.partners.get(&PartnerId::new("lakeside")).unwrap().clone();
    let mut accepting = JoinSet::new();
    for _ in 0..64 {
        let (inbound, partner) = (doors.inbound.clone(), partner.clone());
        let envelope = envelope(&bundle, doors.clock.now());
        accepting.spawn(async move { inbound.accept(&partner, envelope, Intake::Open).await.unwrap() });
    }

    let receipts = accepting.join_all().await;
    gateway.settle().await;

    assert_eq!(receipts.iter().filter(|it| !it.repeated).count(), 1);
    assert!(receipts.iter().all(|it| it.referral == receipts[0].referral));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (1, 1));
}

#[tokio::test]
async fn of_two_contents_that_race_for_one_key_one_wins_and_the_other_is_refused() {
    let mut gateway = TestGateway::start().await;
    let bundles = [1, 2].map(|seed| people::referral(seed, &ReferralOptions::default()));
    let mut calls = Vec::new();
    for bundle in bundles.iter().cycle().take(32) {
        gateway.watch_for(bundle);
        let call = gateway.lakeside_calls("POST", "/fhir").await.header("idempotency-key", "one-key");
        calls.push(call.fhir(bundle.to_string()));
    }

    let replies = all_at_once(calls).await;
    gateway.settle().await;

    let taken = replies.iter().filter(|it| it.status == 200).count();
    let refused = replies.iter().filter(|it| it.status == 422).count();
    assert_eq!((taken, refused), (16, 16));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (1, 1));
}

#[tokio::test]
async fn many_different_referrals_at_once_all_arrive_once() {
    let options = Options { partners: vec!["lakeside", "hillside"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let mut calls = Vec::new();
    for seed in 0..24 {
        let bundle = people::referral(seed, &ReferralOptions::default());
        gateway.watch_for(&bundle);
        let partner = if seed % 2 == 0 { "lakeside" } else { "hillside" };
        calls.push(gateway.call_as(partner, "POST", "/fhir").await.fhir(bundle.to_string()));
    }

    let replies = all_at_once(calls).await;
    gateway.settle().await;

    assert!(replies.iter().all(|it| it.status == 200));
    assert_eq!((gateway.rows("referral"), gateway.clinic().referrals().len()), (24, 24));
    assert_eq!(gateway.clinic().server().all("Task").len(), 24);
}

fn envelope(bundle: &Value, received: Timestamp) -> Envelope {
    Envelope {
        door: Door::Transaction,
        partner: PartnerId::new("lakeside"),
        body: Sensitive::new(bundle.to_string().into_bytes()),
        received,
        idempotency_key: None,
        request_id: None,
        if_none_exist: None,
        gathered: None,
    }
}

/// Sends requests that are ready to go: whatever they need first, such as a token, would part them.
async fn all_at_once(calls: Vec<Call>) -> Vec<Reply> {
    let mut sending = JoinSet::new();
    for call in calls {
        sending.spawn(call.send());
    }
    sending.join_all().await
}
