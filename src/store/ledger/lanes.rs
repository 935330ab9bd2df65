//! Lanes: one ordered stream for each endpoint and referral. A lane is due when the next of its deliveries is.

use super::super::sql::{Session, SqlError, bind};

/// Whether a delivery `d` that waits is not behind another one. What consent holds blocks nobody and waits
/// for nobody; only where it may have taken effect, later versions of the same resource wait for it.
pub(super) const IS_NEXT: &str = "
  (d.state = 4 OR NOT EXISTS
    (SELECT 1 FROM delivery e WHERE e.lane_id = d.lane_id AND e.seq < d.seq AND e.state IN (0, 1, 2, 3)))
  AND NOT EXISTS
    (SELECT 1 FROM delivery h WHERE h.lane_id = d.lane_id AND h.seq < d.seq AND h.state = 4
       AND h.effect_unknown = 1 AND h.resource_type = d.resource_type AND h.resource_id = d.resource_id)";

/// The name of the lane of an endpoint and a referral.
pub(super) fn name(endpoint: &str, referral: &str) -> String {
    format!("{endpoint}/{referral}")
}

/// The endpoint of a lane.
pub(super) fn endpoint_of(lane: &str) -> &str {
    lane.split_once('/').map_or(lane, |(endpoint, _)| endpoint)
}

/// Makes the endpoint known, and gives the next number in the lane. Until the transaction ends nobody else
/// gets one there, so numbers become visible in their order (reference: delivery 0, finding 4).
pub(super) fn next_number(session: &dyn Session, lane: &str, endpoint: &str) -> Result<i64, SqlError> {
    session.change(
        "INSERT INTO endpoint (endpoint, state) VALUES (?1, '') ON CONFLICT (endpoint) DO NOTHING",
        bind![endpoint],
    )?;
    let number = session.first(
        "INSERT INTO lane (lane_id, endpoint, next_seq) VALUES (?1, ?2, 2)
         ON CONFLICT (lane_id) DO UPDATE SET next_seq = lane.next_seq + 1 RETURNING next_seq - 1",
        bind![lane, endpoint],
        |row| row.get(0),
    )?;
    number.ok_or(SqlError::Unexpected)
}

/// Sets when a lane is due, after its deliveries have changed.
pub(super) fn refresh(session: &dyn Session, lane: &str) -> Result<(), SqlError> {
    let next: Option<(i64, bool)> = session.first(
        &format!(
            "SELECT d.due_ms, d.attempts FROM delivery d
             WHERE d.lane_id = ?1 AND d.state IN (0, 2, 3, 4) AND {IS_NEXT} ORDER BY d.due_ms, d.seq LIMIT 1"
        ),
        bind![lane],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    session.change(
        "UPDATE lane SET due_ms = ?2, tried = ?3 WHERE lane_id = ?1",
        bind![lane, next.map(|it| it.0), next.is_some_and(|it| it.1)],
    )?;
    Ok(())
}

/// Makes a lane due no later than now.
pub(super) fn hasten(session: &dyn Session, lane: &str, now_ms: i64) -> Result<(), SqlError> {
    session.announce_work();
    session.change(
        "UPDATE lane SET due_ms = CASE WHEN due_ms < ?2 THEN due_ms ELSE ?2 END WHERE lane_id = ?1",
        bind![lane, now_ms],
    )?;
    Ok(())
}
