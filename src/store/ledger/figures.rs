//! How many deliveries stand where. What came to its end is only counted, over an index; the rest is looked at.

use async_trait::async_trait;

use super::super::Figures;
use super::super::engine::Engine;
use super::super::sql::{Row, Session, SqlError, bind};
use super::{Ledger, rows};
use crate::model::delivery::DeliveryState;
use crate::model::figures::{LedgerFigures, OpenGroup};
use crate::model::work::StoreError;

#[async_trait]
impl<E: Engine> Figures for Ledger<E> {
    async fn figures(&self) -> Result<LedgerFigures, StoreError> {
        // One moment for all counts: between two of them a delivery could change its state.
        self.engine
            .snapshot(|session| {
                Ok(LedgerFigures {
                    recorded: recorded(session)?,
                    replayed: replayed(session)?,
                    by_state: by_state(session)?,
                    open: open(session)?,
                    lanes: lanes(session)?,
                })
            })
            .await
    }
}

/// A lane gives each number once and never takes one back.
fn recorded(session: &dyn Session) -> Result<u64, SqlError> {
    let sum =
        session.first("SELECT CAST(COALESCE(SUM(next_seq - 1), 0) AS BIGINT) FROM lane", bind![], |row| {
            row.get(0)
        })?;
    Ok(sum.unwrap_or_default())
}

fn replayed(session: &dyn Session) -> Result<u64, SqlError> {
    let sum =
        session.first("SELECT CAST(COALESCE(SUM(replayed), 0) AS BIGINT) FROM replay", bind![], |row| {
            row.get(0)
        })?;
    Ok(sum.unwrap_or_default())
}

pub(super) fn by_state(session: &dyn Session) -> Result<Vec<(DeliveryState, u64)>, SqlError> {
    let counted = session.all(
        "SELECT state, COUNT(*) FROM delivery GROUP BY state ORDER BY state",
        bind![],
        |row| Ok((DeliveryState::from_number(row.get(0)?), row.get(1)?)),
    )?;
    Ok(counted.into_iter().filter_map(|(state, count)| Some((state?, count))).collect())
}

fn open(session: &dyn Session) -> Result<Vec<OpenGroup>, SqlError> {
    let groups = session.all(
        "SELECT endpoint, state, reason, COUNT(*), MIN(created_ms), MIN(due_ms) FROM delivery
         WHERE state IN (0, 1, 2, 3, 4, 6, 7, 9) GROUP BY endpoint, state, reason ORDER BY 1, 2, 3",
        bind![],
        group,
    )?;
    Ok(groups.into_iter().flatten().collect())
}

/// None: a state that we do not know. It is in no sum, so the gap shows it.
fn group(row: &Row) -> Result<Option<OpenGroup>, SqlError> {
    let Some(state) = DeliveryState::from_number(row.get(1)?) else {
        return Ok(None);
    };
    let due = rows::time(row, 5)?;
    Ok(Some(OpenGroup {
        endpoint: row.get(0)?,
        state,
        reason: row.get(2)?,
        count: row.get(3)?,
        oldest: rows::time(row, 4)?,
        next_attempt: state.is_tried_again().then_some(due),
    }))
}

fn lanes(session: &dyn Session) -> Result<Vec<(String, u64)>, SqlError> {
    session.all(
        "SELECT endpoint, COUNT(DISTINCT lane_id) FROM delivery WHERE state IN (0, 1, 2, 3)
         GROUP BY endpoint ORDER BY endpoint",
        bind![],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
