//! The work that is owed.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::super::{AttemptRecord, ClaimLimits, Deliveries, DeliveryFilter};
use super::{SqliteStore, claim, rows, settle};
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::ids::DeliveryId;
use crate::model::work::{Lease, Settled, Settlement, StoreError};

#[async_trait]
impl Deliveries for SqliteStore {
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
            let due: Option<i64> = connection.query_row(
                "SELECT MIN(due_ms) FROM delivery WHERE state IN (0, 2, 3, 4)",
                [],
                |row| row.get(0),
            )?;
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

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |connection| list(connection, &filter)).await
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT started_ms, ended_ms, outcome, http_status, decision, consents
                 FROM attempt WHERE delivery_id = ?1 ORDER BY number",
            )?;
            let found = statement.query_map(params![id.to_string()], |row| {
                Ok(AttemptRecord {
                    started: rows::time(row, 0)?,
                    ended: row.get::<_, Option<i64>>(1)?.map(rows::timestamp),
                    outcome: row.get(2)?,
                    http_status: row.get(3)?,
                    decision: row.get(4)?,
                    consents: words(row.get(5)?),
                })
            })?;
            found.collect()
        })
        .await
    }

    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let changed = connection.execute(
                "UPDATE delivery SET state = CASE state WHEN 6 THEN CASE effect_unknown WHEN 1 THEN 3 ELSE 2 END
                                                        ELSE state END,
                   due_ms = ?2, created_ms = CASE state WHEN 6 THEN ?2 ELSE created_ms END, done_ms = NULL
                 WHERE delivery_id = ?1 AND state IN (2, 3, 4, 6)",
                params![id.to_string(), now.as_millisecond()],
            )?;
            Ok(changed == 1)
        })
        .await
    }

    async fn counts(&self) -> Result<Vec<(DeliveryState, u64)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT state, COUNT(*) FROM delivery GROUP BY state ORDER BY state")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
            let mut counts = Vec::new();
            for row in rows {
                let (state, count) = row?;
                let known = DeliveryState::from_number(state).zip(u64::try_from(count).ok());
                counts.extend(known);
            }
            Ok(counts)
        })
        .await
    }
}

fn words(text: Option<String>) -> Vec<String> {
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn list(connection: &Connection, filter: &DeliveryFilter) -> rusqlite::Result<Vec<Delivery>> {
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    if !filter.states.is_empty() {
        let states: Vec<String> = filter.states.iter().map(|state| (*state as i64).to_string()).collect();
        conditions.push(format!("d.state IN ({})", states.join(", ")));
    }
    if let Some(partner) = &filter.partner {
        conditions.push("d.partner_id = ?".to_owned());
        values.push(partner.to_string().into());
    }
    if let Some(referral) = &filter.referral {
        conditions.push("d.referral_id = ?".to_owned());
        values.push(referral.to_string().into());
    }
    values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare(&format!(
        "SELECT {} FROM delivery d WHERE {} ORDER BY d.delivery_id DESC LIMIT ?",
        rows::DELIVERY_COLUMNS,
        conditions.join(" AND ")
    ))?;
    statement.query_map(params_from_iter(values), rows::delivery)?.collect()
}
