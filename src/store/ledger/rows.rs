//! Between rows and the model's nouns.

use jiff::Timestamp;

use super::super::sql::{Row, Session, SqlError, bind};
use crate::model::delivery::{Delivery, DeliveryState, Owed, RemoteResource};
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::partner::Share;
use crate::model::referral::{ClinicRecord, Referral, Written};
use crate::model::reply::ReplyKind;
use crate::model::update::{ResourceVersion, Update};

/// The columns that [`delivery`] reads, for a query whose table is named `d`. The remote resource is where
/// an earlier version of the same resource stands at the partner.
pub(super) const DELIVERY_COLUMNS: &str = "
  d.delivery_id, d.referral_id, d.partner_id, d.share, d.resource_type, d.resource_id, d.resource_version,
  d.state, d.attempts, d.effect_unknown, d.created_ms, d.due_ms, d.reason, d.since_ms,
  (SELECT r.remote_reference FROM delivery r WHERE r.referral_id = d.referral_id AND r.state = 5
     AND r.resource_type = d.resource_type AND r.resource_id = d.resource_id
     AND r.remote_reference IS NOT NULL ORDER BY r.seq DESC LIMIT 1),
  (SELECT r.remote_etag FROM delivery r WHERE r.referral_id = d.referral_id AND r.state = 5
     AND r.resource_type = d.resource_type AND r.resource_id = d.resource_id
     AND r.remote_reference IS NOT NULL ORDER BY r.seq DESC LIMIT 1),
  d.remote_reference, d.server_errors, d.server_errors_since_ms, d.reply_id, d.reply_kind";

pub(super) fn delivery(row: &Row) -> Result<Delivery, SqlError> {
    read_delivery(row).map_err(|error| error.of_row("delivery", || row.get(0).unwrap_or_default()))
}

fn read_delivery(row: &Row) -> Result<Delivery, SqlError> {
    let referral = row.parsed(1)?;
    let remote_reference: Option<String> = row.get(14)?;
    let etag: Option<String> = row.get(15)?;
    Ok(Delivery {
        id: row.parsed(0)?,
        referral,
        partner: PartnerId::new(row.get::<String>(2)?),
        task: owed(row, referral)?,
        state: DeliveryState::from_number(row.get(7)?).ok_or(SqlError::Unexpected)?,
        attempts: row.get(8)?,
        effect_unknown: row.get(9)?,
        created: time(row, 10)?,
        since: time(row, 13)?,
        due: time(row, 11)?,
        reason: row.get(12)?,
        placed: row.get(16)?,
        // Only whoever is to ask there needs it opened.
        told_at: None,
        server_errors: row.get(17)?,
        server_errors_since: row.get::<Option<i64>>(18)?.map(timestamp),
        remote: remote_reference.map(|reference| RemoteResource { reference, etag }),
    })
}

fn owed(row: &Row, referral: ReferralId) -> Result<Owed, SqlError> {
    if let Some(reply) = row.get::<Option<String>>(19)? {
        let kind = row.get::<Option<String>>(20)?.as_deref().and_then(ReplyKind::of_word);
        let id = reply.parse().map_err(|_| SqlError::Unexpected)?;
        return Ok(Owed::Reply(id, kind.ok_or(SqlError::Unexpected)?));
    }
    let Some(word) = row.get::<Option<String>>(3)? else {
        return Ok(Owed::Forward);
    };
    let resource = ResourceVersion { resource_type: row.get(4)?, id: row.get(5)?, version: row.get(6)? };
    Ok(Owed::Deliver(Update { referral, resource, share: share(&word).ok_or(SqlError::Unexpected)? }))
}

/// Those of these rows that can be read; each of the others is told in the log.
pub(super) fn readable<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, SqlError>,
) -> Result<Vec<T>, SqlError> {
    let mut found = Vec::new();
    for row in rows {
        match read(row) {
            Err(SqlError::Damaged { what, id }) => {
                tracing::error!(what, row = %id, "a stored row cannot be read");
            }
            other => found.push(other?),
        }
    }
    Ok(found)
}

/// The columns that [`referral`] reads.
pub(super) const REFERRAL_COLUMNS: &str =
    "referral_id, partner_id, received_ms, updated_ms, clinic_at_ms, at_clinic";

pub(super) fn referral(session: &dyn Session, row: &Row) -> Result<Referral, SqlError> {
    read_referral(session, row).map_err(|error| error.of_row("referral", || row.get(0).unwrap_or_default()))
}

fn read_referral(session: &dyn Session, row: &Row) -> Result<Referral, SqlError> {
    let id: ReferralId = row.parsed(0)?;
    let at_clinic: bool = row.get(5)?;
    let at = row.get::<Option<i64>>(4)?.map(timestamp);
    Ok(Referral {
        id,
        partner: PartnerId::new(row.get::<String>(1)?),
        received: time(row, 2)?,
        updated: time(row, 3)?,
        clinic: at_clinic
            .then(|| written(session, id))
            .transpose()?
            .map(|written| ClinicRecord { written, at }),
    })
}

fn written(session: &dyn Session, id: ReferralId) -> Result<Vec<Written>, SqlError> {
    session.all(
        "SELECT entry, reference, version FROM clinic_resource WHERE referral_id = ?1 ORDER BY position",
        bind![&id.to_string()],
        |row| {
            let reference: String = row.get(1)?;
            let (resource_type, id) = reference.split_once('/').ok_or(SqlError::Unexpected)?;
            let resource = ResourceVersion {
                resource_type: resource_type.to_owned(),
                id: id.to_owned(),
                version: row.get(2)?,
            };
            Ok(Written { entry: row.get(0)?, resource })
        },
    )
}

pub(super) const fn share_word(share: Share) -> &'static str {
    match share {
        Share::ReferralStatus => "referral-status",
        Share::Scheduling => "scheduling",
        Share::Communication => "communication",
        Share::VisitSummary => "visit-summary",
        Share::Results => "results",
        Share::CarePlan => "care-plan",
    }
}

fn share(word: &str) -> Option<Share> {
    Some(match word {
        "referral-status" => Share::ReferralStatus,
        "scheduling" => Share::Scheduling,
        "communication" => Share::Communication,
        "visit-summary" => Share::VisitSummary,
        "results" => Share::Results,
        "care-plan" => Share::CarePlan,
        _ => return None,
    })
}

pub(super) fn time(row: &Row, column: usize) -> Result<Timestamp, SqlError> {
    row.get(column).map(timestamp)
}

pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::super::super::migrations;
    use super::*;

    #[test]
    fn reading_a_delivery_never_walks_all_that_were_delivered() {
        let ledger = rusqlite::Connection::open_in_memory().unwrap();
        for (_, migration) in migrations::after(0) {
            ledger.execute_batch(migration).unwrap();
        }
        let query = format!(
            "EXPLAIN QUERY PLAN SELECT {DELIVERY_COLUMNS} FROM delivery d WHERE d.delivery_id = 'dlv-1'"
        );

        let mut statement = ledger.prepare(&query).unwrap();
        let steps = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();

        let by_referral = steps.iter().filter(|it| it.contains("delivery_source (referral_id=?")).count();
        assert_eq!(by_referral, 2, "{steps:#?}");
    }
}
