//! The embedded ledger's file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use referral_gateway::model::referral::{Acceptance, NewReferral};
use referral_gateway::model::retention::Retention;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::Settlement;
use referral_gateway::store::ledger::UnlockError;
use referral_gateway::store::migrations::LayoutError;
use referral_gateway::store::seal::{GatewayKey, KeyError, KeyRing};
use referral_gateway::store::sqlite::{OpenError, SqliteStore};
use referral_gateway::store::{Referrals as _, Store};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{at, claim, keys, new_referral, record, settle};

const CANARY: &str = "Testina-Canary-19480314";

async fn open(folder: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(&folder.join("gateway.db"), &keys()).await
}

async fn with_a_canary(folder: &Path) -> SqliteStore {
    let store = open(folder).await.unwrap();
    let body = format!("{{\"name\": \"{CANARY}\"}}");
    let accepted = store.accept(new_referral("lakeside", &[CANARY], &body)).await.unwrap();
    assert!(matches!(accepted, Acceptance::Recorded(_)));
    store
}

#[tokio::test]
async fn another_key_does_not_open_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());

    let wrong =
        SqliteStore::open(&folder.path().join("gateway.db"), &KeyRing::of(GatewayKey::new([8; 32]))).await;

    assert!(matches!(wrong, Err(OpenError::Unlock(UnlockError::Key(KeyError::DoesNotFit)))));
    assert!(open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn one_gateway_at_a_time_has_the_ledger_and_others_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await.unwrap();

    let second = open(folder.path()).await;
    let reader = SqliteStore::open_read_only(&folder.path().join("gateway.db"), &keys()).await;
    drop(first);

    assert!(matches!(second, Err(OpenError::InUse(_))));
    assert!(reader.is_ok());
    assert!(open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn a_ledger_of_a_newer_gateway_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());
    let ledger = Connection::open(folder.path().join("gateway.db")).unwrap();
    ledger.execute_batch("PRAGMA user_version = 999").unwrap();
    drop(ledger);

    assert!(matches!(
        open(folder.path()).await,
        Err(OpenError::Layout(LayoutError::Newer { found: 999, .. }))
    ));
}

#[tokio::test]
async fn no_file_of_the_ledger_holds_a_word_of_a_patient() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_a_canary(folder.path()).await;

    let look = || {
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes());
            assert!(!found, "{}", path.display());
        }
    };

    look();
    drop(store);
    look();
}

#[tokio::test]
async fn no_column_holds_a_word_of_a_patient() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_a_canary(folder.path()).await);
    let ledger = Connection::open(folder.path().join("gateway.db")).unwrap();
    let mut names = ledger.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();

    for table in tables {
        let mut rows = ledger.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column).unwrap() {
                    assert!(!String::from_utf8_lossy(bytes).contains(CANARY), "{table}.{column}");
                }
            }
        }
    }
}

/// A ledger of forty referrals at their end, of 64 KiB each that cannot be packed, and what it takes up.
async fn with_forty_large_bodies(folder: &Path) -> (Arc<dyn Store>, u64) {
    let store: Arc<dyn Store> = Arc::new(open(folder).await.unwrap());
    for number in 0..40 {
        let mut body = vec![0; 64 << 10];
        aws_lc_rs::rand::fill(&mut body).unwrap();
        let new = new_referral("lakeside", &[&format!("order-{number}")], "");
        store.accept(NewReferral { body: Sensitive::new(body), ..new }).await.unwrap();
    }
    for lease in claim(&store, at(1)).await {
        settle(&store, &lease, Settlement::Forwarded(record(1)), at(2)).await;
    }
    drop(store);
    let full = fs::metadata(folder.join("gateway.db")).unwrap().len();
    (Arc::new(open(folder).await.unwrap()), full)
}

async fn purged_and_given_back(store: &Arc<dyn Store>) -> (u64, u64) {
    let hour = Duration::from_hours(1);
    let retention = Retention { payloads: hour, attempts: hour * 1000, trail: hour * 1000 };
    let purged = store.purge(retention, at(86_400)).await.unwrap().payloads;
    let mut pages = 0;
    loop {
        match store.give_back().await.unwrap() {
            0 => return (purged, pages),
            some => {
                assert!(some <= 256, "{some}");
                pages += some;
            }
        }
    }
}

#[tokio::test]
async fn a_ledgers_file_gets_shorter_after_purging_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let (store, full) = with_forty_large_bodies(folder.path()).await;

    let (purged, pages) = purged_and_given_back(&store).await;
    drop(store);

    let left = fs::metadata(folder.path().join("gateway.db")).unwrap().len();
    assert_eq!(purged, 40);
    assert!(pages > 256 && full - left == pages * 8192, "{pages} pages, {full} bytes before, {left} after");
    assert!(left * 5 < full, "{left} of {full} bytes");
    let store: Arc<dyn Store> = Arc::new(open(folder.path()).await.unwrap());
    assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
}

#[tokio::test]
async fn an_older_file_that_cannot_get_shorter_goes_on_working() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());
    let file = folder.path().join("gateway.db");
    Connection::open(&file).unwrap().execute_batch("PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
    let (store, full) = with_forty_large_bodies(folder.path()).await;

    let given = purged_and_given_back(&store).await;
    drop(store);

    assert_eq!(given, (40, 0));
    assert_eq!(fs::metadata(&file).unwrap().len(), full);
}

#[tokio::test]
async fn where_a_server_tells_what_became_of_a_referral_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(with_a_canary(folder.path()).await);
    let lease = claim(&store, at(1)).await.remove(0);
    let address = Sensitive::new(format!("https://lakeside.example/jobs/{CANARY}"));
    let Settlement::Retry { cause, at: when, counted, placed, effect, .. } =
        super::retry(at(9), super::Effect::Unknown)
    else {
        panic!("a retry");
    };
    let told = Settlement::Retry { cause, at: when, counted, placed, told_at: Some(address.clone()), effect };
    settle(&store, &lease, told, at(2)).await;

    assert_eq!(claim(&store, at(9)).await[0].delivery.told_at, Some(address));
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes()));
    }
}
