//! What happened, for people. An event is written in the transaction of what happened.

use jiff::Timestamp;

use super::super::sql::{Session, SqlError, bind};
use crate::model::ids::EventId;

/// Something that happened. Ids, codes and counts of ours only.
pub(super) struct Event<'a> {
    pub(super) id: EventId,
    pub(super) at: Timestamp,
    pub(super) what: &'a str,
    pub(super) actor: &'a str,
    pub(super) referral: Option<&'a str>,
    pub(super) delivery: Option<&'a str>,
    pub(super) detail: &'a str,
}

/// With the values of [`Event`], in its order.
pub(super) const RECORD: &str =
    "INSERT INTO event (event_id, at_ms, what, actor, referral_id, delivery_id, detail)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn record(session: &dyn Session, event: &Event<'_>) -> Result<(), SqlError> {
    session.change(
        RECORD,
        bind![
            &event.id.to_string(),
            event.at.as_millisecond(),
            event.what,
            event.actor,
            event.referral,
            event.delivery,
            event.detail
        ],
    )?;
    Ok(())
}
