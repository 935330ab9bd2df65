//! How many deliveries stand where. What came to its end is only counted, over an index; the rest is looked at.

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::super::Figures;
use super::{SqliteStore, rows};
use crate::model::delivery::DeliveryState;
use crate::model::figures::{LedgerFigures, OpenGroup};
use crate::model::work::StoreError;

#[async_trait]
impl Figures for SqliteStore {
    async fn figures(&self) -> Result<LedgerFigures, StoreError> {
        self.read(|connection| {
            // One moment for all counts: between two of them a delivery could change its state.
            let moment = connection.unchecked_transaction()?;
            Ok(LedgerFigures {
                recorded: recorded(&moment)?,
                by_state: by_state(&moment)?,
                open: open(&moment)?,
                lanes: lanes(&moment)?,
            })
        })
        .await
    }
}

/// A lane gives each number once and never takes one back.
fn recorded(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached("SELECT COALESCE(SUM(next_seq - 1), 0) FROM lane")?;
    statement.query_row([], |row| row.get(0))
}

fn by_state(connection: &Connection) -> rusqlite::Result<Vec<(DeliveryState, u64)>> {
    let mut statement =
        connection.prepare_cached("SELECT state, COUNT(*) FROM delivery GROUP BY state ORDER BY state")?;
    let counted = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let known =
        counted.map(|row| row.map(|(number, count)| Some((DeliveryState::from_number(number)?, count))));
    known.filter_map(Result::transpose).collect()
}

fn open(connection: &Connection) -> rusqlite::Result<Vec<OpenGroup>> {
    let mut statement = connection.prepare_cached(
        "SELECT endpoint, state, reason, COUNT(*), MIN(created_ms), MIN(due_ms) FROM delivery
         WHERE state IN (0, 1, 2, 3, 4, 6, 7, 9) GROUP BY endpoint, state, reason ORDER BY 1, 2, 3",
    )?;
    let groups = statement.query_map([], group)?;
    groups.filter_map(Result::transpose).collect()
}

/// None: a state that we do not know. It is in no sum, so the gap shows it.
fn group(row: &Row<'_>) -> rusqlite::Result<Option<OpenGroup>> {
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

fn lanes(connection: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT endpoint, COUNT(DISTINCT lane_id) FROM delivery WHERE state IN (0, 1, 2, 3)
         GROUP BY endpoint ORDER BY endpoint",
    )?;
    let counted = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    counted.collect()
}
