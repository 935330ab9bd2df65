//! On what a held update depends, so that it is decided again when that changes.

use super::super::sql::{Session, SqlError, bind};
use super::lanes;
use crate::model::ids::DeliveryId;
use crate::model::update::ResourceVersion;

/// Held updates are due for another decision if their last one read another version of this, or could not
/// read it.
pub(super) fn decide_dependants_again(
    session: &dyn Session,
    changed: &ResourceVersion,
    now_ms: i64,
) -> Result<(), SqlError> {
    let held = session.all(
        "SELECT d.delivery_id, d.lane_id FROM delivery d JOIN depends_on o ON o.delivery_id = d.delivery_id
         WHERE d.state = 4 AND o.reference = ?1 AND o.version <> ?2 ORDER BY d.lane_id",
        bind![&changed.reference(), &changed.version],
        |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)),
    )?;
    held.iter().try_for_each(|(id, lane)| decide_now(session, id, lane, now_ms))
}

/// The lane first: whoever settles or claims the delivery meanwhile has it, and then it is not held any more.
pub(super) fn decide_now(session: &dyn Session, id: &str, lane: &str, now_ms: i64) -> Result<(), SqlError> {
    lanes::hasten(session, lane, now_ms)?;
    session
        .change("UPDATE delivery SET due_ms = ?2 WHERE delivery_id = ?1 AND state = 4", bind![id, now_ms])?;
    Ok(())
}

/// Keeps what a held update depends on, and forgets it once it is not held any more.
pub(super) fn keep_dependencies(
    session: &dyn Session,
    id: DeliveryId,
    dependencies: &[ResourceVersion],
) -> Result<(), SqlError> {
    let id = id.to_string();
    session.change("DELETE FROM depends_on WHERE delivery_id = ?1", bind![&id])?;
    for it in dependencies {
        session.change(
            "INSERT INTO depends_on (reference, delivery_id, version) VALUES (?1, ?2, ?3)
             ON CONFLICT (reference, delivery_id) DO UPDATE SET version = ?3",
            bind![&it.reference(), &id, &it.version],
        )?;
    }
    Ok(())
}
