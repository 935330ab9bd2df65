//! What became of the work.

use async_trait::async_trait;

use super::super::engine::Engine;
use super::super::sql::{Bound, Row, Session, SqlError, bind};
use super::super::{AttemptRecord, Deliveries, DeliveryFilter};
use super::{Ledger, figures, rows};
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::ids::DeliveryId;
use crate::model::work::StoreError;

#[async_trait]
impl<E: Engine> Deliveries for Ledger<E> {
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.read(move |session| {
            session.first(
                &format!("SELECT {} FROM delivery d WHERE d.delivery_id = ?1", rows::DELIVERY_COLUMNS),
                bind![&id.to_string()],
                rows::delivery,
            )
        })
        .await
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |session| list(session, &filter)).await
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.read(move |session| {
            session.all(
                "SELECT started_ms, ended_ms, outcome, http_status, decision, consents
                 FROM attempt WHERE delivery_id = ?1 ORDER BY number",
                bind![&id.to_string()],
                attempt,
            )
        })
        .await
    }

    async fn counts(&self) -> Result<Vec<(DeliveryState, u64)>, StoreError> {
        self.read(|session| figures::by_state(session)).await
    }
}

fn attempt(row: &Row) -> Result<AttemptRecord, SqlError> {
    Ok(AttemptRecord {
        started: rows::time(row, 0)?,
        ended: row.get::<Option<i64>>(1)?.map(rows::timestamp),
        outcome: row.get(2)?,
        http_status: row.get(3)?,
        decision: row.get(4)?,
        consents: words(row.get(5)?),
    })
}

fn words(text: Option<String>) -> Vec<String> {
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn list(session: &dyn Session, filter: &DeliveryFilter) -> Result<Vec<Delivery>, SqlError> {
    let partner = filter.partner.as_ref().map(ToString::to_string);
    let referral = filter.referral.map(|it| it.to_string());
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut values = Vec::new();
    if !filter.states.is_empty() {
        let states: Vec<String> = filter.states.iter().map(|state| (*state as i64).to_string()).collect();
        conditions.push(format!("d.state IN ({})", states.join(", ")));
    }
    for (column, value) in [("partner_id", &partner), ("referral_id", &referral)] {
        if let Some(value) = value {
            values.push(Bound::from(value));
            conditions.push(format!("d.{column} = ?{}", values.len()));
        }
    }
    values.push(Bound::from(filter.limit));
    let found = session.rows(
        &format!(
            "SELECT {} FROM delivery d WHERE {} ORDER BY d.delivery_id DESC LIMIT ?{}",
            rows::DELIVERY_COLUMNS,
            conditions.join(" AND "),
            values.len()
        ),
        &values,
    )?;
    rows::readable(&found, rows::delivery)
}
