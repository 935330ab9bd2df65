//! What is stored is damaged (reference: delivery F47 to F49): the row is put aside and named, the others go on; a
//! file that cannot be trusted is refused before anything is changed. On SQLite, where a test can damage.

use std::fs;
use std::path::PathBuf;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::work::{Settlement, StoreError};
use referral_gateway::store::sqlite::{OpenError, SqliteStore};
use rusqlite::Connection;

use super::{
    Arc, Backend as _, Sqlite, Store, accept, at, at_clinic, claim, delivered, keys, owe, owed, partner,
    record, settle, states,
};

fn ledger() -> Sqlite {
    Sqlite(tempfile::tempdir().unwrap())
}

fn file(ledger: &Sqlite) -> PathBuf {
    ledger.0.path().join("gateway.db")
}

fn damage(ledger: &Sqlite, change: &str) {
    let connection = Connection::open(file(ledger)).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    assert_eq!(connection.execute(change, []).unwrap(), 1, "{change}");
}

async fn with_three_updates(ledger: &Sqlite) -> Arc<dyn Store> {
    let store = ledger.open().await;
    for n in 1..=3 {
        let referral = at_clinic(&store, "lakeside", n).await;
        owe(&store, referral, &n.to_string(), "2").await;
    }
    store
}

const UPDATE_TWO: &str = "resource_id = '2'";

#[tokio::test]
async fn a_delivery_that_cannot_be_read_is_quarantined_alone_and_the_rest_is_listed_and_goes() {
    for change in ["share = 'a broken word'", "delivery_id = 'dlv-broken'", "resource_version = NULL"] {
        let ledger = ledger();
        let store = with_three_updates(&ledger).await;
        damage(&ledger, &format!("UPDATE delivery SET {change} WHERE {UPDATE_TWO}"));

        assert_eq!(owed(&store).await.len(), 2, "{change}");
        let leases = claim(&store, at(10)).await;
        for lease in &leases {
            settle(&store, lease, delivered(), at(11)).await;
        }

        assert_eq!(leases.len(), 2, "{change}");
        let counts = store.counts().await.unwrap();
        assert!(counts.contains(&(DeliveryState::Quarantined, 1)), "{change}: {counts:?}");
        assert_eq!(states(&store).await, [DeliveryState::Delivered; 2]);
        assert!(claim(&store, at(12)).await.is_empty());
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}

#[tokio::test]
async fn a_delivery_in_no_known_state_stops_nobody_and_shows_as_a_gap() {
    let ledger = ledger();
    let store = with_three_updates(&ledger).await;
    damage(&ledger, &format!("UPDATE delivery SET state = 99 WHERE {UPDATE_TWO}"));

    assert_eq!(owed(&store).await.len(), 2);
    assert_eq!(claim(&store, at(10)).await.len(), 2);
    assert_eq!(store.figures().await.unwrap().conservation_gap(), 1);
}

#[tokio::test]
async fn an_update_that_cannot_be_read_leaves_the_rest_of_an_inbox() {
    let ledger = ledger();
    let store = with_three_updates(&ledger).await;
    for lease in claim(&store, at(10)).await {
        settle(&store, &lease, Settlement::InInbox(super::decision("permit")), at(11)).await;
    }
    damage(&ledger, &format!("UPDATE delivery SET share = 'a broken word' WHERE {UPDATE_TWO}"));

    assert_eq!(store.inbox(&partner("lakeside"), "Task").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_referral_that_cannot_be_read_is_named_and_the_others_are_listed() {
    let ledger = ledger();
    let store = ledger.open().await;
    let broken = accept(&store, "lakeside", "order-1").await;
    let lease = claim(&store, at(0)).await.remove(0);
    settle(&store, &lease, Settlement::Forwarded(record(1)), at(2)).await;
    let whole = accept(&store, "lakeside", "order-2").await;
    damage(&ledger, "UPDATE clinic_resource SET reference = 'no reference' WHERE reference = 'Task/1'");

    let read = store.referral(broken).await;
    let listed = store.referrals_of(&partner("lakeside"), None, 10).await.unwrap();
    let found = store.referrals_by_identifier(&partner("lakeside"), "order-2", 10).await.unwrap();

    assert_eq!(read.unwrap_err(), StoreError::Unreadable { what: "referral", id: broken.to_string() });
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<_>>(), [whole]);
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_body_that_does_not_authenticate_is_named_and_the_others_open() {
    let ledger = ledger();
    let store = ledger.open().await;
    let broken = accept(&store, "lakeside", "order-1").await;
    let whole = accept(&store, "lakeside", "order-2").await;
    let flipped = "CAST(substr(ciphertext, 1, length(ciphertext) - 1) || x'00' AS BLOB)";
    damage(&ledger, &format!("UPDATE payload SET ciphertext = {flipped} WHERE payload_id = '{broken}'"));

    let read = store.body(broken).await.map(|_| ());

    assert_eq!(read.unwrap_err(), StoreError::Unreadable { what: "payload", id: broken.to_string() });
    assert!(store.body(whole).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_was_cut_short_or_is_none_of_ours_is_refused_and_left_as_it_is() {
    let ledger = ledger();
    drop(with_three_updates(&ledger).await);
    let whole = fs::read(file(&ledger)).unwrap();
    let mut overwritten = whole.clone();
    overwritten[..100].fill(b'x');
    for damaged in [&whole[..whole.len() / 2], &whole[..4096], &whole[..50], &overwritten] {
        fs::write(file(&ledger), damaged).unwrap();

        let opened = SqliteStore::open(&file(&ledger), &keys()).await.map(|_| ());

        assert!(matches!(opened, Err(OpenError::Damaged(_))), "{} bytes: {opened:?}", damaged.len());
        assert!(fs::read(file(&ledger)).unwrap() == damaged, "{} bytes", damaged.len());
    }
    fs::write(file(&ledger), whole).unwrap();
    assert!(SqliteStore::open(&file(&ledger), &keys()).await.is_ok());
}
