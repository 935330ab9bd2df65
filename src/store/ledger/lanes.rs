//! Lanes: one ordered stream for each endpoint and referral. A lane is due when the next of its deliveries is.

use super::super::sql::{Session, SqlError, Statement, bind};

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

/// The lane of a delivery, which nobody else changes until the transaction ends.
pub(super) fn of_delivery(session: &dyn Session, id: &str) -> Result<Option<String>, SqlError> {
    session.first(
        &format!(
            "SELECT lane_id FROM lane WHERE lane_id = (SELECT lane_id FROM delivery WHERE delivery_id = ?1){}",
            session.dialect().locking()
        ),
        bind![id],
        |row| row.get(0),
    )
}

const MAKE_ENDPOINT_KNOWN: &str =
    "INSERT INTO endpoint (endpoint, state) VALUES (?1, '') ON CONFLICT (endpoint) DO NOTHING";

/// The number of the first delivery of a lane.
pub(super) const FIRST_NUMBER: i64 = 1;

/// Make the endpoint known, and a lane of which [`FIRST_NUMBER`] is given away. Where the lane is there already they
/// fail, so no number is given twice.
pub(super) fn made<'a>(lane: &'a str, endpoint: &'a str, due_ms: i64) -> [Statement<'a>; 2] {
    [
        Statement::new(MAKE_ENDPOINT_KNOWN, bind![endpoint]),
        Statement::new(
            "INSERT INTO lane (lane_id, endpoint, next_seq, due_ms) VALUES (?1, ?2, ?3, ?4)",
            bind![lane, endpoint, FIRST_NUMBER + 1, due_ms],
        ),
    ]
}

/// Makes the endpoint known, gives the next number in the lane and makes the lane due no later than `due_ms`.
/// Until the transaction ends nobody else gets a number there, so numbers become visible in their order (reference:
/// delivery 0, finding 4).
pub(super) fn next_number(
    session: &dyn Session,
    lane: &str,
    endpoint: &str,
    due_ms: i64,
) -> Result<i64, SqlError> {
    session.announce_work();
    session.change(MAKE_ENDPOINT_KNOWN, bind![endpoint])?;
    let number = session.first(
        "INSERT INTO lane (lane_id, endpoint, next_seq, due_ms) VALUES (?1, ?2, 2, ?3)
         ON CONFLICT (lane_id) DO UPDATE SET next_seq = lane.next_seq + 1,
           due_ms = CASE WHEN lane.due_ms < excluded.due_ms THEN lane.due_ms ELSE excluded.due_ms END
         RETURNING next_seq - 1",
        bind![lane, endpoint, due_ms],
        |row| row.get(0),
    )?;
    number.ok_or(SqlError::Unexpected)
}

/// Sets when a lane is due, after its deliveries have changed.
pub(super) fn refresh(session: &dyn Session, lane: &str) -> Result<(), SqlError> {
    let next = next(session, lane)?;
    session.change(
        "UPDATE lane SET due_ms = ?2, tried = ?3 WHERE lane_id = ?1",
        bind![lane, next.map(|it| it.0), next.is_some_and(|it| it.1)],
    )?;
    Ok(())
}

/// Ends the lease of a lane, after its deliveries have changed, and sets when it is due.
pub(super) fn let_go(session: &dyn Session, lane: &str) -> Result<(), SqlError> {
    let next = next(session, lane)?;
    session.change(
        "UPDATE lane SET lease_until_ms = NULL, lease_owner = NULL, due_ms = ?2, tried = ?3 WHERE lane_id = ?1",
        bind![lane, next.map(|it| it.0), next.is_some_and(|it| it.1)],
    )?;
    Ok(())
}

/// When the next delivery of a lane is due, and whether it was tried before.
fn next(session: &dyn Session, lane: &str) -> Result<Option<(i64, bool)>, SqlError> {
    session.first(
        &format!(
            "SELECT d.due_ms, d.attempts FROM delivery d
             WHERE d.lane_id = ?1 AND d.state IN (0, 2, 3, 4) AND {IS_NEXT} ORDER BY d.due_ms, d.seq LIMIT 1"
        ),
        bind![lane],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
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
