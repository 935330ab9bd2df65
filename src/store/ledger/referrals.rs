//! What partners sent.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::Referrals;
use super::super::engine::Engine;
use super::super::seal::Sealed;
use super::super::sql::{Row, Session, SqlError, bind};
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
        let accepted = self.write(move |session| match row.known(session)? {
            Some(known) => Ok(known),
            None => row.insert(session).map(|()| Acceptance::Recorded(row.id)),
        });
        match accepted.await {
            Err(error @ StoreError::Unavailable(_)) if self.engine.can_look_after_a_lost_commit() => {
                match self.read(move |session| recorded.known(session)).await? {
                    Some(Acceptance::Repeated(id)) if id == new.id => Ok(Acceptance::Recorded(id)),
                    known => known.ok_or(error),
                }
            }
            other => other,
        }
    }

    async fn known(&self, new: NewReferral) -> Result<Option<Acceptance>, StoreError> {
        let row = self.sealed_referral(&new);
        self.read(move |session| row.known(session)).await
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
            let found = session.rows(
                &format!(
                    "SELECT {} FROM referral WHERE partner_id = ?1 AND referral_id < ?2
                     ORDER BY referral_id DESC LIMIT ?3",
                    rows::REFERRAL_COLUMNS
                ),
                bind![&partner, &before, limit],
            )?;
            rows::readable(&found, |row| rows::referral(session, row))
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
            let found = session.rows(
                &format!(
                    "SELECT {} FROM referral WHERE referral_id IN
                       (SELECT referral_id FROM referral_identifier WHERE partner_id = ?1 AND identifier_mac = ?2)
                     ORDER BY referral_id DESC LIMIT ?3",
                    rows::REFERRAL_COLUMNS
                ),
                bind![&partner, &mac, limit],
            )?;
            rows::readable(&found, |row| rows::referral(session, row))
        })
        .await
    }

    async fn body(&self, id: ReferralId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError> {
        let found = self
            .read(move |session| {
                session.first(
                    "SELECT r.partner_id, p.key_id, p.wrapped_key, p.ciphertext
                     FROM referral r JOIN payload p ON p.payload_id = r.payload_id WHERE r.referral_id = ?1",
                    bind![&id.to_string()],
                    |row| Ok((row.get::<String>(0)?, sealed(row)?)),
                )
            })
            .await?;
        let Some((partner, Some(sealed))) = found else {
            return Ok(None);
        };
        let opened = self.sealer.open(&sealed, &bound_to(&id.to_string(), &partner));
        let plain = opened.ok_or(StoreError::Unreadable { what: "payload", id: id.to_string() })?;
        Ok(Some(Sensitive::new(plain)))
    }
}

/// None: it was purged.
fn sealed(row: &Row) -> Result<Option<Sealed>, SqlError> {
    let (wrapped_key, ciphertext) = (row.get::<Option<Vec<u8>>>(2)?, row.get::<Option<Vec<u8>>>(3)?);
    let key_id = row.get(1)?;
    Ok(wrapped_key.zip(ciphertext).map(|(wrapped_key, ciphertext)| Sealed {
        key_id,
        wrapped_key,
        ciphertext,
    }))
}

/// What a payload belongs to. Under another referral or another partner it does not open.
pub(super) fn bound_to(id: &str, partner: &str) -> String {
    format!("inbound|{id}|{partner}")
}

/// Destroys bodies of referrals for which nothing is owed any more since before then.
pub(super) fn purge(session: &dyn Session, before_ms: i64) -> Result<u64, SqlError> {
    session.change(
        "UPDATE payload SET wrapped_key = NULL, ciphertext = NULL WHERE payload_id IN
           (SELECT p.payload_id FROM payload p JOIN referral r ON r.payload_id = p.payload_id
            WHERE p.wrapped_key IS NOT NULL AND p.created_ms < ?1 AND r.updated_ms < ?1 AND NOT EXISTS
              (SELECT 1 FROM delivery d WHERE d.referral_id = r.referral_id
                 AND (d.state NOT IN (5, 8, 10) OR d.done_ms >= ?1))
            ORDER BY p.created_ms LIMIT ?2)",
        bind![before_ms, AT_ONCE],
    )
}

fn referral_by_id(session: &dyn Session, id: ReferralId) -> Result<Option<Referral>, SqlError> {
    session.first(
        &format!("SELECT {} FROM referral WHERE referral_id = ?1", rows::REFERRAL_COLUMNS),
        bind![&id.to_string()],
        |row| rows::referral(session, row),
    )
}
