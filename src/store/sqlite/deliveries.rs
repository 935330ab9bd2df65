//! What became of the work.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::super::{AttemptRecord, Deliveries, DeliveryFilter};
use super::{SqliteStore, rows};
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::ids::DeliveryId;
use crate::model::work::StoreError;

#[async_trait]
impl Deliveries for SqliteStore {
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.read(move |connection| {
            connection
                .query_row(
                    &format!("SELECT {} FROM delivery d WHERE d.delivery_id = ?1", rows::DELIVERY_COLUMNS),
                    params![id.to_string()],
                    rows::delivery,
                )
                .optional()
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
        "SELECT {} FROM delivery d WHERE {} ORDER BY d.rowid DESC LIMIT ?",
        rows::DELIVERY_COLUMNS,
        conditions.join(" AND ")
    ))?;
    statement.query_map(params_from_iter(values), rows::delivery)?.collect()
}
