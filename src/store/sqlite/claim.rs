//! Leasing work.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::ClaimLimits;
use super::rows;
use crate::model::delivery::Delivery;
use crate::model::work::Lease;

/// Whether a delivery `d` that waits is not behind another one. What consent holds blocks nobody and waits
/// for nobody; only where it may have taken effect, later versions of the same resource wait for it.
pub(super) const IS_NEXT: &str = "
  (d.state = 4 OR NOT EXISTS
    (SELECT 1 FROM delivery e WHERE e.lane_id = d.lane_id AND e.seq < d.seq AND e.state IN (0, 1, 2, 3)))
  AND NOT EXISTS
    (SELECT 1 FROM delivery h WHERE h.lane_id = d.lane_id AND h.seq < d.seq AND h.state = 4
       AND h.effect_unknown = 1 AND h.resource_type = d.resource_type AND h.resource_id = d.resource_id)";

/// Leases lanes with due work: the head of the lane, or an update that consent holds, which blocks nobody.
pub(super) fn claim(
    connection: &Connection,
    now: Timestamp,
    lease: Duration,
    limits: ClaimLimits,
) -> rusqlite::Result<Vec<Lease>> {
    let until = now.saturating_add(lease).unwrap_or(now);
    give_up_expired(connection, now)?;
    let mut leases = Vec::new();
    for (delivery, lane) in due(connection, now, limits)? {
        if in_flight(connection, &lane)? >= limits.per_endpoint {
            continue;
        }
        if let Some(token) = take_lane(connection, &lane, now, until)? {
            begin_attempt(connection, &delivery, now)?;
            leases.push(Lease { delivery, token, until });
        }
    }
    Ok(leases)
}

/// Work whose lease ran out may have taken effect; whoever takes it next looks first.
fn give_up_expired(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE delivery SET state = 3, effect_unknown = 1, due_ms = ?1, reason = 'lease-ran-out'
         WHERE state = 1 AND lane_id IN (SELECT lane_id FROM lane WHERE lease_until_ms <= ?1)",
    )?;
    statement.execute(params![now.as_millisecond()])?;
    Ok(())
}

fn due(
    connection: &Connection,
    now: Timestamp,
    limits: ClaimLimits,
) -> rusqlite::Result<Vec<(Delivery, String)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, d.lane_id FROM delivery d JOIN lane l USING (lane_id)
         WHERE d.state IN (0, 2, 3, 4) AND d.due_ms <= ?1
           AND (l.lease_until_ms IS NULL OR l.lease_until_ms <= ?1) AND {IS_NEXT}
           AND (SELECT COUNT(*) FROM delivery f WHERE f.endpoint = d.endpoint AND f.state = 1) < ?3
         ORDER BY d.due_ms, d.rowid LIMIT ?2",
        rows::DELIVERY_COLUMNS
    ))?;
    statement
        .query_map(params![now.as_millisecond(), limits.in_all, limits.per_endpoint], |row| {
            Ok((rows::delivery(row)?, row.get(17)?))
        })?
        .collect()
}

/// How many attempts run at the endpoint of a lane: a dead server may not take every worker.
fn in_flight(connection: &Connection, lane: &str) -> rusqlite::Result<usize> {
    let endpoint = lane.split('/').next().unwrap_or_default();
    let mut statement =
        connection.prepare_cached("SELECT COUNT(*) FROM delivery WHERE endpoint = ?1 AND state = 1")?;
    statement.query_row(params![endpoint], |row| row.get(0))
}

/// None: another delivery of this batch has the lane.
fn take_lane(
    connection: &Connection,
    lane: &str,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "UPDATE lane SET lease_token = lease_token + 1, lease_until_ms = ?3
         WHERE lane_id = ?1 AND (lease_until_ms IS NULL OR lease_until_ms <= ?2) RETURNING lease_token",
    )?;
    let mut rows = statement.query(params![lane, now.as_millisecond(), until.as_millisecond()])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// The attempt is on record before the first byte leaves, so a crash leaves a trace of it.
fn begin_attempt(connection: &Connection, delivery: &Delivery, now: Timestamp) -> rusqlite::Result<()> {
    let id = delivery.id.to_string();
    connection.execute("UPDATE delivery SET state = 1 WHERE delivery_id = ?1", params![id])?;
    connection.execute(
        "INSERT INTO attempt (delivery_id, number, started_ms)
         SELECT ?1, 1 + COALESCE(MAX(number), 0), ?2 FROM attempt WHERE delivery_id = ?1",
        params![id, now.as_millisecond()],
    )?;
    Ok(())
}
