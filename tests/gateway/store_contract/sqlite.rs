//! The embedded ledger's file.

use std::fs;
use std::path::Path;

use referral_gateway::model::referral::Acceptance;
use referral_gateway::store::Referrals as _;
use referral_gateway::store::ledger::UnlockError;
use referral_gateway::store::migrations::LayoutError;
use referral_gateway::store::seal::{GatewayKey, KeyError, KeyRing};
use referral_gateway::store::sqlite::{OpenError, SqliteStore};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{keys, new_referral};

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
