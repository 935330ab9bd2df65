//! Making due what waits after failures for a server that works again.

use jiff::Timestamp;

use super::super::sql::{Session, SqlError, bind};
use super::housekeeping::AT_ONCE;
use super::lanes;

/// A lane by when it is due and by its name.
pub(super) type Place = (i64, String);

/// Hastens what waits in some lanes behind a place, in the order in which they are due. Tells how many deliveries,
/// and the place of the last lane; none: there are no more.
pub(super) fn some(
    session: &dyn Session,
    endpoint: &str,
    after: &Place,
    (now, look_at): (Timestamp, Timestamp),
) -> Result<(u64, Option<Place>), SqlError> {
    let lanes = session.all(
        &format!("{WAITING_LANES}{}", session.dialect().locking()),
        bind![endpoint, after.0, &after.1, AT_ONCE],
        |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)),
    )?;
    let mut hastened = 0;
    for (_, lane) in &lanes {
        // What is held waits for something else than its server.
        hastened += session.change(
            "UPDATE delivery SET due_ms = CASE state WHEN 2 THEN ?2 ELSE ?3 END
             WHERE lane_id = ?1 AND state IN (2, 3) AND due_ms > ?3",
            bind![lane, now.as_millisecond(), look_at.as_millisecond()],
        )?;
        lanes::refresh(session, lane)?;
    }
    if hastened > 0 {
        session.announce_work();
    }
    Ok((hastened, lanes.into_iter().last()))
}

/// What was never tried does not wait.
const WAITING_LANES: &str = "
  SELECT due_ms, lane_id FROM lane WHERE endpoint = ?1 AND tried = 1 AND lease_until_ms IS NULL
    AND due_ms IS NOT NULL AND (due_ms, lane_id) > (?2, ?3) ORDER BY due_ms, lane_id LIMIT ?4";
