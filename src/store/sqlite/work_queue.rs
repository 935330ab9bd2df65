//! The work that is owed.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::params;

use super::super::{ClaimLimits, WorkQueue};
use super::{SqliteStore, claim, rows, settle};
use crate::model::ids::DeliveryId;
use crate::model::work::{Lease, Settled, Settlement, StoreError};

#[async_trait]
impl WorkQueue for SqliteStore {
    async fn claim(
        &self,
        now: Timestamp,
        lease: Duration,
        limits: ClaimLimits,
    ) -> Result<Vec<Lease>, StoreError> {
        self.write(move |connection| claim::claim(connection, now, lease, limits)).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let lease = lease.clone();
        self.write(move |connection| settle::settle(connection, &lease, &settlement, now)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT MIN(d.due_ms) FROM delivery d WHERE d.state IN (0, 2, 3, 4) AND {}",
                claim::IS_NEXT
            ))?;
            let due: Option<i64> = statement.query_row([], |row| row.get(0))?;
            Ok(due.map(rows::timestamp))
        })
        .await
    }

    async fn recover(&self, look_at: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| {
            connection
                .execute("UPDATE lane SET lease_until_ms = NULL WHERE lease_until_ms IS NOT NULL", [])?;
            connection.execute(
                "UPDATE delivery SET state = 3, effect_unknown = 1, due_ms = ?1, reason = 'interrupted'
                 WHERE state = 1",
                params![look_at.as_millisecond()],
            )
        })
        .await
    }

    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let changed = connection.execute(
                "UPDATE delivery SET state = CASE state WHEN 6 THEN CASE effect_unknown WHEN 1 THEN 3 ELSE 2 END
                                                        ELSE state END,
                   due_ms = ?2, since_ms = ?2, done_ms = NULL
                 WHERE delivery_id = ?1 AND state IN (2, 3, 4, 6) AND NOT (state = 6 AND EXISTS
                   (SELECT 1 FROM delivery e WHERE e.referral_id = delivery.referral_id
                      AND e.resource_type = delivery.resource_type AND e.resource_id = delivery.resource_id
                      AND e.seq > delivery.seq AND (e.state IN (1, 2, 3, 5, 9) OR e.effect_unknown = 1)))",
                params![id.to_string(), now.as_millisecond()],
            )?;
            Ok(changed == 1)
        })
        .await
    }
}
