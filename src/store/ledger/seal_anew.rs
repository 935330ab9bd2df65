//! Sealing what a former key of the gateway sealed under its present one. Only the payloads' own keys are
//! wrapped anew; the payloads stay as they are.

use super::super::seal::Sealer;
use super::super::sql::{Session, SqlError, bind};
use super::super::trail;
use super::housekeeping::AT_ONCE;
use super::referrals::bound_to;

/// Seals some rows anew, and tells how many. What cannot be opened stays as it is and is told in the log.
pub(super) fn some(session: &dyn Session, sealer: &Sealer) -> Result<usize, SqlError> {
    let payloads = session.all(
        "SELECT p.payload_id, p.key_id, p.wrapped_key, COALESCE(r.partner_id, y.partner_id)
         FROM payload p LEFT JOIN referral r ON r.payload_id = p.payload_id
         LEFT JOIN reply y ON y.reply_id = p.payload_id
         WHERE p.key_id <> ?1 AND p.wrapped_key IS NOT NULL LIMIT ?2",
        bind![sealer.current_key(), AT_ONCE],
        |row| {
            let id: String = row.get(0)?;
            let bound_to = bound_to(&id, &row.get::<String>(3)?);
            Ok(Row {
                table: ("payload", "payload_id"),
                id,
                key_id: row.get(1)?,
                wrapped_key: row.get(2)?,
                bound_to,
            })
        },
    )?;
    let records = session.all(
        "SELECT audit_id, key_id, wrapped_key FROM audit
         WHERE key_id <> ?1 AND wrapped_key IS NOT NULL LIMIT ?2",
        bind![sealer.current_key(), AT_ONCE],
        |row| {
            let id: String = row.get(0)?;
            let bound_to = trail::bound_to(&id);
            Ok(Row {
                table: ("audit", "audit_id"),
                id,
                key_id: row.get(1)?,
                wrapped_key: row.get(2)?,
                bound_to,
            })
        },
    )?;
    let mut count = 0;
    for row in payloads.iter().chain(&records) {
        count += usize::from(row.seal_anew(session, sealer)?);
    }
    Ok(count)
}

/// A row with a wrapped key.
struct Row {
    /// Its table, and the column of its id.
    table: (&'static str, &'static str),
    id: String,
    key_id: String,
    wrapped_key: Vec<u8>,
    bound_to: String,
}

impl Row {
    fn seal_anew(&self, session: &dyn Session, sealer: &Sealer) -> Result<bool, SqlError> {
        let Some(wrapped) = sealer.wrapped_anew(&self.key_id, &self.wrapped_key, &self.bound_to) else {
            tracing::error!(row = %self.id, "a stored key cannot be opened and is left as it is");
            return Ok(false);
        };
        let (table, column) = self.table;
        let changed = session.change(
            &format!("UPDATE {table} SET key_id = ?2, wrapped_key = ?3 WHERE {column} = ?1 AND key_id = ?4"),
            bind![&self.id, sealer.current_key(), &wrapped, &self.key_id],
        )?;
        Ok(changed == 1)
    }
}
