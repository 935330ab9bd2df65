//! What partners sent.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::Referrals;
use super::super::engine::Engine;
use super::super::seal::Sealed;
use super::super::sql::{Bound, Row, Session, SqlError, bind};
use super::housekeeping::AT_ONCE;
use super::{Ledger, rows};
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::referral::{Acceptance, NewReferral, Referral};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

#[async_trait]
impl<E: Engine> Referrals for Ledger<E> {
    async fn accept(&self, new: NewReferral) -> Result<Acceptance, StoreError> {
        let row = Arc::new(self.sealed_referral(&new));
        let recorded = Arc::clone(&row);
        let accepted = self.write(move |session| match row.recognition.known(session)? {
            Some(known) => Ok(known),
            None => row.insert(session).map(|()| Acceptance::Recorded(row.id)),
        });
        match accepted.await {
            Err(error @ StoreError::Unavailable(_)) if self.engine.can_look_after_a_lost_commit() => {
                match self.read(move |session| recorded.recognition.known(session)).await? {
                    Some(Acceptance::Repeated(id)) if id == new.id => Ok(Acceptance::Recorded(id)),
                    known => known.ok_or(error),
                }
            }
            other => other,
        }
    }

    async fn known(&self, new: NewReferral) -> Result<Option<Acceptance>, StoreError> {
        let recognition = self.recognition(&new);
        self.read(move |session| recognition.known(session)).await
    }

    async fn referral(&self, id: ReferralId) -> Result<Option<Referral>, StoreError> {
        self.read(move |session| referral_by_id(session, id)).await
    }

    async fn referrals_of(
        &self,
        partner: &PartnerId,
        before: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Referral>, StoreError> {
        let partner = partner.to_string();
        let before = before.map_or_else(|| "ref-~".to_owned(), |id| id.to_string());
        self.read(move |session| {
            newest(session, "partner_id = ?1 AND referral_id < ?2", bind![&partner, &before, limit])
        })
        .await
    }

    async fn referrals_by_identifier(
        &self,
        partner: &PartnerId,
        identifier: &str,
        limit: usize,
    ) -> Result<Vec<Referral>, StoreError> {
        let (partner, mac) = (partner.to_string(), self.identifier_mac(identifier));
        self.read(move |session| {
            newest(
                session,
                "referral_id IN
                   (SELECT referral_id FROM referral_identifier WHERE partner_id = ?1 AND identifier_mac = ?2)",
                bind![&partner, &mac, limit],
            )
        })
        .await
    }

    async fn body(&self, id: ReferralId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError> {
        let whose =
            "SELECT partner_id AS partner, payload_id AS payload FROM referral WHERE referral_id = ?1";
        self.payload(id.to_string(), whose).await
    }
}

impl<E: Engine> Ledger<E> {
    /// What was sent under an id, opened; `whose` is the query for its partner and the id of its payload.
    pub(super) async fn payload(
        &self,
        id: String,
        whose: &'static str,
    ) -> Result<Option<Sensitive<Vec<u8>>>, StoreError> {
        let asked = id.clone();
        let found = self
            .read(move |session| {
                session.first(
                    &format!(
                        "SELECT w.partner, p.key_id, p.wrapped_key, p.ciphertext, p.plain_bytes
                         FROM ({whose}) w JOIN payload p ON p.payload_id = w.payload"
                    ),
                    bind![&asked],
                    |row| Ok((row.get::<String>(0)?, stored(row)?)),
                )
            })
            .await?;
        let Some((partner, stored)) = found else {
            return Ok(None);
        };
        let opened = match stored {
            Stored::Purged => return Ok(None),
            Stored::Torn => None,
            Stored::Sealed(sealed) => self.sealer.open(&sealed, &bound_to(&id, &partner)),
        };
        let plain = opened.ok_or(StoreError::Unreadable { what: "payload", id })?;
        Ok(Some(Sensitive::new(plain)))
    }
}

/// What there is of a payload.
enum Stored {
    Sealed(Sealed),
    Purged,
    /// A part of it is gone, and no purge of ours leaves that behind.
    Torn,
}

fn stored(row: &Row) -> Result<Stored, SqlError> {
    let (key_id, plain_bytes) = (row.get(1)?, Some(row.get(4)?));
    Ok(match (row.get(2)?, row.get(3)?) {
        (Some(wrapped_key), Some(ciphertext)) => {
            Stored::Sealed(Sealed { key_id, wrapped_key, ciphertext, plain_bytes })
        }
        (None, None) => Stored::Purged,
        _ => Stored::Torn,
    })
}

/// What a payload belongs to. Under another referral or another partner it does not open.
pub(super) fn bound_to(id: &str, partner: &str) -> String {
    format!("inbound|{id}|{partner}")
}

/// A payload's id is its referral's or its reply's: so the oldest payloads lead, by their index.
pub(super) const PURGE: &str = "
  UPDATE payload SET wrapped_key = NULL, ciphertext = NULL WHERE payload_id IN
    (SELECT p.payload_id FROM payload p
     WHERE p.wrapped_key IS NOT NULL AND p.created_ms < ?1
       AND EXISTS (SELECT 1 FROM referral r WHERE r.updated_ms < ?1 AND r.referral_id =
         COALESCE((SELECT y.referral_id FROM reply y WHERE y.reply_id = p.payload_id), p.payload_id))
       AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.referral_id =
         COALESCE((SELECT y.referral_id FROM reply y WHERE y.reply_id = p.payload_id), p.payload_id)
         AND (d.state NOT IN (5, 8, 10) OR d.done_ms >= ?1))
     ORDER BY p.created_ms LIMIT ?2)";

/// Destroys bodies of referrals for which nothing is owed any more since before then.
pub(super) fn purge(session: &dyn Session, before_ms: i64) -> Result<u64, SqlError> {
    session.change(PURGE, bind![before_ms, AT_ONCE])
}

/// The newest referrals of which this holds; the third value is how many.
fn newest(session: &dyn Session, condition: &str, values: &[Bound<'_>]) -> Result<Vec<Referral>, SqlError> {
    let found = session.rows(
        &format!(
            "SELECT {} FROM referral WHERE {condition} ORDER BY referral_id DESC LIMIT ?3",
            rows::REFERRAL_COLUMNS
        ),
        values,
    )?;
    rows::readable(&found, |row| rows::referral(session, row))
}

fn referral_by_id(session: &dyn Session, id: ReferralId) -> Result<Option<Referral>, SqlError> {
    session.first(
        &format!("SELECT {} FROM referral WHERE referral_id = ?1", rows::REFERRAL_COLUMNS),
        bind![&id.to_string()],
        |row| rows::referral(session, row),
    )
}
