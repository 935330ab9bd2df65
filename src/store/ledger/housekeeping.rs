//! Keeping the ledger in order: turns, purging, new keys.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::Housekeeping;
use super::super::engine::Engine;
use super::super::sql::{Dialect, Session, SqlError, bind};
use super::super::trail::purge_rule;
use super::audit::{self, SealedRecord};
use super::{Ledger, keys, referrals, seal_anew};
use crate::model::audit::{AuditKind, NewAuditRecord};
use crate::model::ids::AuditId;
use crate::model::retention::{Purged, Retention};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

/// So many rows are changed in one transaction, so that nobody waits long.
pub(super) const AT_ONCE: usize = 200;

/// So many pages of an embedded ledger's file are given back in one transaction: 2 MiB.
const PAGES_AT_ONCE: u64 = 256;

/// What `PRAGMA auto_vacuum` says of a file that can be made shorter step by step (SQLite, pragma.html).
const INCREMENTAL: u64 = 2;

#[async_trait]
impl<E: Engine> Housekeeping for Ledger<E> {
    fn is_writable(&self) -> bool {
        self.engine.is_writable()
    }

    async fn empty_write_ahead_log(&self) -> Result<(), StoreError> {
        self.engine.empty_write_ahead_log().await
    }

    async fn take_turn(&self, name: &str, now: Timestamp, lasts: Duration) -> Result<bool, StoreError> {
        let (name, owner) = (name.to_owned(), self.instance.clone());
        self.write(move |session| {
            let until = now.saturating_add(lasts).unwrap_or(now);
            let taken = session.change(
                "INSERT INTO turn (name, owner, until_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET owner = ?2, until_ms = ?3
                 WHERE turn.owner = ?2 OR turn.until_ms <= ?4",
                bind![&name, &owner, until.as_millisecond(), now.as_millisecond()],
            )?;
            Ok(taken == 1)
        })
        .await
    }

    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError> {
        let before = |kept: Duration| now.saturating_sub(kept).unwrap_or(Timestamp::MIN).as_millisecond();
        let (payloads, attempts) = (before(retention.payloads), before(retention.attempts));
        let mut purged = self
            .write(move |session| {
                Ok(Purged {
                    payloads: referrals::purge(session, payloads)?,
                    attempts: purge_attempts(session, attempts)?,
                    trail: 0,
                })
            })
            .await?;
        purged.trail = self.purge_trail(before(retention.trail), now).await?;
        Ok(purged)
    }

    async fn give_back(&self) -> Result<u64, StoreError> {
        self.write(|session| {
            if session.dialect() == Dialect::Postgres {
                return Ok(0);
            }
            let number = |pragma| session.first(pragma, bind![], |row| row.get::<u64>(0));
            let free = number("PRAGMA freelist_count")?.unwrap_or_default();
            // A file that was made without the map of its pages cannot be made shorter.
            if free == 0 || number("PRAGMA auto_vacuum")? != Some(INCREMENTAL) {
                return Ok(0);
            }
            session.rows(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"), bind![])?;
            Ok(free - number("PRAGMA freelist_count")?.unwrap_or_default().min(free))
        })
        .await
    }

    async fn seal_anew(&self) -> Result<usize, StoreError> {
        let sealer = Arc::clone(&self.sealer);
        let count = self.write(move |session| seal_anew::some(session, &sealer)).await?;
        if count == 0 {
            keys::forget_former(&self.engine, &self.keys).await?;
        }
        Ok(count)
    }
}

impl<E: Engine> Ledger<E> {
    /// The record of the purge says up to which record, before they are gone.
    async fn purge_trail(&self, before_ms: i64, now: Timestamp) -> Result<u64, StoreError> {
        let up_to = self.read(move |session| audit::purgeable(session, before_ms)).await?;
        let Some(up_to) = up_to else {
            return Ok(0);
        };
        let record: Arc<SealedRecord> = Arc::new(self.sealed_record(&NewAuditRecord {
            id: AuditId::new(now),
            kind: AuditKind::Purge,
            at: now,
            delivery: None,
            outcome: "purged".to_owned(),
            rule: purge_rule(up_to),
            sent_sha256: None,
            content: Sensitive::new(b"{}".to_vec()),
        }));
        let links = self.links.clone();
        self.write(move |session| {
            audit::append(session, &links, std::slice::from_ref(&record))?;
            audit::purge(session, up_to)
        })
        .await
    }
}

/// Attempts that may go, oldest first.
const OLD_ATTEMPTS: &str = "
  SELECT a.delivery_id, a.number FROM attempt a WHERE a.ended_ms < ?1
    AND EXISTS (SELECT 1 FROM delivery d WHERE d.delivery_id = a.delivery_id AND d.state IN (5, 8, 10))
  ORDER BY a.ended_ms LIMIT ?2";

/// The attempts of what still waits, or waits for a person, are kept.
fn purge_attempts(session: &dyn Session, before_ms: i64) -> Result<u64, SqlError> {
    let old = session.all(OLD_ATTEMPTS, bind![before_ms, AT_ONCE], |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?))
    })?;
    for (delivery, number) in &old {
        session
            .change("DELETE FROM attempt WHERE delivery_id = ?1 AND number = ?2", bind![delivery, *number])?;
    }
    Ok(old.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::super::migrations;
    use super::*;

    fn plan(query: &str) -> Vec<String> {
        let ledger = rusqlite::Connection::open_in_memory().unwrap();
        for (_, migration) in migrations::after(0) {
            ledger.execute_batch(migration).unwrap();
        }
        let mut statement = ledger.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let steps = statement.query_map([0, 200], |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_to_be_purged_is_found_by_its_age_and_never_by_walking_all_that_is_kept() {
        for (query, index) in
            [(referrals::PURGE, "payload_kept (created_ms<?)"), (OLD_ATTEMPTS, "attempt_ended (ended_ms<?)")]
        {
            let steps = plan(query);

            assert!(steps.iter().any(|it| it.contains(index)), "{steps:#?}");
            assert!(!steps.iter().any(|it| it.starts_with("SCAN")), "{steps:#?}");
            assert!(!steps.iter().any(|it| it.contains("TEMP B-TREE")), "{steps:#?}");
        }
    }
}
