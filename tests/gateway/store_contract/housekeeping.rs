//! Keeping the ledger in order: turns, purging, new keys.

use std::time::Duration;

use referral_gateway::model::audit::{AuditKind, NewAuditRecord};
use referral_gateway::model::ids::AuditId;
use referral_gateway::model::retention::{Purged, Retention};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::{Settlement, StoreError};
use referral_gateway::store::seal::{GatewayKey, KeyRing};

use super::{Arc, Store, accept, at, at_clinic, backends, cause, claim, delivered, ledgers, owe, settle};

const DAY: i64 = 86_400;

const MONTH: Retention = Retention {
    payloads: Duration::from_hours(24 * 30),
    attempts: Duration::from_hours(24 * 365),
    trail: Duration::from_hours(24 * 365),
};

async fn purge(store: &Arc<dyn Store>, retention: Retention, second: i64) -> Purged {
    let mut sum = Purged::default();
    loop {
        let some = store.purge(retention, at(second)).await.unwrap();
        if some.is_nothing() {
            return sum;
        }
        sum.payloads += some.payloads;
        sum.attempts += some.attempts;
        sum.trail += some.trail;
    }
}

#[tokio::test]
async fn a_turn_is_one_gateways_until_it_is_over() {
    for backend in backends().await {
        let store = backend.open().await;
        let minute = Duration::from_mins(1);

        assert!(store.take_turn("watch", at(0), minute).await.unwrap());
        assert!(store.take_turn("watch", at(30), minute).await.unwrap(), "it may be extended");
        assert!(store.take_turn("purge", at(30), minute).await.unwrap());
    }
}

#[tokio::test]
async fn bodies_are_purged_when_nothing_is_owed_any_more_and_only_then() {
    for (store, _backend) in ledgers().await {
        let done = at_clinic(&store, "lakeside", 1).await;
        let dead = accept(&store, "lakeside", "order-2").await;
        let lease = claim(&store, at(3)).await.remove(0);
        settle(&store, &lease, Settlement::Dead(cause()), at(4)).await;
        let waiting = accept(&store, "lakeside", "order-3").await;

        let early = purge(&store, MONTH, 29 * DAY).await;
        let late = purge(&store, MONTH, 31 * DAY).await;

        assert_eq!((early.payloads, late.payloads), (0, 1));
        assert!(store.body(done).await.unwrap().is_none());
        assert!(store.body(dead).await.unwrap().is_some(), "what is dead waits for a person");
        assert!(store.body(waiting).await.unwrap().is_some());
        assert!(store.referral(done).await.unwrap().is_some(), "its keys stay as long as the referral");
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}

#[tokio::test]
async fn an_update_that_is_owed_keeps_the_body_of_its_referral() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        assert_eq!(purge(&store, MONTH, 90 * DAY).await.payloads, 0);

        let lease = claim(&store, at(90 * DAY)).await.remove(0);
        settle(&store, &lease, delivered(), at(90 * DAY)).await;

        assert_eq!(purge(&store, MONTH, 119 * DAY).await.payloads, 0);
        assert_eq!(purge(&store, MONTH, 121 * DAY).await.payloads, 1);
    }
}

#[tokio::test]
async fn attempts_are_purged_by_their_age() {
    for (store, _backend) in ledgers().await {
        at_clinic(&store, "lakeside", 1).await;

        assert_eq!(purge(&store, MONTH, 364 * DAY).await.attempts, 0);
        assert_eq!(purge(&store, MONTH, 366 * DAY).await.attempts, 1);
    }
}

fn record(second: i64) -> NewAuditRecord {
    NewAuditRecord {
        id: AuditId::new(at(second)),
        kind: AuditKind::Decision,
        at: at(second),
        delivery: None,
        outcome: "hold".to_owned(),
        rule: "default".to_owned(),
        sent_sha256: None,
        content: Sensitive::new(b"{\"a\": 1}".to_vec()),
    }
}

#[tokio::test]
async fn a_purged_trail_is_whole_and_says_up_to_where_its_content_is_gone() {
    for (store, _backend) in ledgers().await {
        store.append(vec![record(0), record(1)]).await.unwrap();
        store.append(vec![record(360 * DAY)]).await.unwrap();

        let purged = purge(&store, MONTH, 366 * DAY).await;
        let report = store.inspect_trail(None).await.unwrap();

        assert_eq!(purged.trail, 2);
        assert_eq!(report.tampering, []);
        assert_eq!(report.head.number, 4);
        assert_eq!(purge(&store, MONTH, 366 * DAY).await, Purged::default());
    }
}

fn ring(current: u8, former: &[u8]) -> KeyRing {
    let key = |byte: u8| GatewayKey::new([byte; 32]);
    KeyRing { current: key(current), former: former.iter().map(|byte| key(*byte)).collect() }
}

#[tokio::test]
async fn a_new_key_takes_over_while_the_gateway_runs_and_the_old_one_opens_nothing_then() {
    for backend in backends().await {
        let store = backend.open_with(&ring(7, &[])).await.unwrap();
        let before = accept(&store, "lakeside", "order-1").await;
        store.append(vec![record(0)]).await.unwrap();
        drop(store);

        assert!(backend.open_with(&ring(8, &[])).await.is_err(), "a new key alone does not open it");
        let store = backend.open_with(&ring(8, &[7])).await.unwrap();
        let after = accept(&store, "lakeside", "order-2").await;
        assert!(store.body(before).await.unwrap().is_some());
        while store.seal_anew().await.unwrap() > 0 {}
        drop(store);

        assert!(backend.open_with(&ring(7, &[])).await.is_err(), "the old key alone does not open it");
        let store = backend.open_with(&ring(8, &[])).await.unwrap();
        assert!(store.body(before).await.unwrap().is_some());
        assert!(store.body(after).await.unwrap().is_some());
        assert_eq!(store.inspect_trail(None).await.unwrap().tampering, []);
        let known = store.known(super::new_referral("lakeside", &["order-1"], "order-1")).await.unwrap();
        assert!(known.is_some(), "what is known stays known");
    }
}

#[tokio::test]
async fn a_change_of_keys_that_is_cut_off_goes_on() {
    for backend in backends().await {
        let store = backend.open_with(&ring(7, &[])).await.unwrap();
        for number in 0..250 {
            accept(&store, "lakeside", &format!("order-{number}")).await;
        }
        drop(store);
        let store = backend.open_with(&ring(8, &[7])).await.unwrap();
        assert_eq!(store.seal_anew().await.unwrap(), 200);
        drop(store);

        let store = backend.open_with(&ring(8, &[7])).await.unwrap();
        assert_eq!(store.seal_anew().await.unwrap(), 50);
        assert_eq!(store.seal_anew().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_reader_sees_and_changes_nothing() {
    for backend in backends().await {
        let store = backend.open().await;
        let referral = accept(&store, "lakeside", "order-1").await;
        let reader = backend.open_read_only().await;

        assert!(reader.body(referral).await.unwrap().is_some());
        let refused = reader.take_turn("watch", at(0), Duration::from_mins(1)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        assert!(!reader.is_writable());
    }
}
