//! What the clinic did, and how far we have read.

use super::super::engine::Engine;
use super::super::sql::{Session, SqlError, bind};
use super::super::{Collected, Noticed, NoticedConsent, Updates};
use super::audit::append;
use super::dependencies::{decide_dependants_again, decide_now};
use super::{Ledger, lanes, rows};
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral_state::ReferralState;
use crate::model::update::{DecisionNote, Update};
use crate::model::work::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;

#[async_trait]
impl<E: Engine> Updates for Ledger<E> {
    async fn read_up_to(&self, source: &str) -> Result<Option<Timestamp>, StoreError> {
        let source = source.to_owned();
        self.read(move |session| {
            session.first("SELECT read_up_to_ms FROM feed_cursor WHERE source = ?1", bind![&source], |row| {
                rows::time(row, 0)
            })
        })
        .await
    }

    async fn last_told(&self, referral: ReferralId) -> Result<Option<ReferralState>, StoreError> {
        self.read(move |session| {
            let word = session.first(
                "SELECT told FROM delivery WHERE referral_id = ?1 AND resource_type = 'Task' AND state = 5
                   AND told IS NOT NULL ORDER BY seq DESC LIMIT 1",
                bind![&referral.to_string()],
                |row| row.get::<String>(0),
            )?;
            Ok(word.as_deref().and_then(ReferralState::of_word))
        })
        .await
    }

    async fn referrals_linked_to(
        &self,
        references: Vec<String>,
    ) -> Result<Vec<(String, ReferralId)>, StoreError> {
        self.read(move |session| {
            let mut found = Vec::new();
            for reference in &references {
                let referrals = session.all(
                    "SELECT referral_id FROM clinic_link WHERE reference = ?1 ORDER BY 1",
                    bind![reference],
                    |row| row.parsed(0),
                )?;
                found.extend(referrals.into_iter().map(|id| (reference.clone(), id)));
            }
            Ok(found)
        })
        .await
    }

    async fn record(&self, noticed: Noticed, now: Timestamp) -> Result<usize, StoreError> {
        let now_ms = now.as_millisecond();
        self.write(move |session| {
            for (reference, referral) in &noticed.links {
                link(session, reference, *referral)?;
            }
            let mut new = 0;
            for update in &noticed.updates {
                new += usize::from(owe_delivery(session, update, now)?);
            }
            for consent in &noticed.consents {
                decide_again(session, consent, now_ms)?;
            }
            for changed in &noticed.changed {
                decide_dependants_again(session, changed, now_ms)?;
            }
            session.change(
                "INSERT INTO feed_cursor (source, read_up_to_ms)
                 VALUES (?1, COALESCE((SELECT MIN(clinic_at_ms) FROM referral WHERE clinic_at_ms < ?2), ?2))
                 ON CONFLICT (source) DO UPDATE SET read_up_to_ms = ?2
                 WHERE feed_cursor.read_up_to_ms >= COALESCE(?3, feed_cursor.read_up_to_ms)",
                bind![
                    noticed.source,
                    noticed.read_up_to.as_millisecond(),
                    noticed.read_from.map(Timestamp::as_millisecond)
                ],
            )?;
            Ok(new)
        })
        .await
    }

    async fn inbox(&self, partner: &PartnerId, resource_type: &str) -> Result<Vec<Delivery>, StoreError> {
        let (partner, resource_type) = (partner.to_string(), resource_type.to_owned());
        self.read(move |session| {
            let found = session.rows(
                &format!(
                    "SELECT {} FROM delivery d
                     WHERE d.partner_id = ?1 AND d.resource_type = ?2 AND d.state IN (5, 9) AND NOT EXISTS
                       (SELECT 1 FROM delivery e WHERE e.referral_id = d.referral_id
                          AND e.resource_type = d.resource_type AND e.resource_id = d.resource_id
                          AND e.seq > d.seq AND e.state IN (5, 9))
                     ORDER BY d.delivery_id DESC",
                    rows::DELIVERY_COLUMNS
                ),
                bind![&partner, &resource_type],
            )?;
            rows::readable(&found, rows::delivery)
        })
        .await
    }

    async fn collected(&self, collected: Collected, now: Timestamp) -> Result<(), StoreError> {
        let now_ms = now.as_millisecond();
        let records: Vec<_> = collected.records.iter().map(|it| self.sealed_record(it)).collect();
        let links = self.links.clone();
        self.write(move |session| {
            let Collected { delivery, decision, sent_sha256, told, .. } = &collected;
            let id = delivery.to_string();
            append(session, &links, &records)?;
            session.change(
                "UPDATE delivery SET state = ?1, done_ms = ?2, reason = NULL WHERE delivery_id = ?3 AND state = 9",
                bind![DeliveryState::Delivered as i64, now_ms, &id],
            )?;
            session.change(
                "UPDATE delivery SET sent_sha256 = ?1, told = ?3 WHERE delivery_id = ?2 AND state = 5",
                bind![sent_sha256, &id, told.map(ReferralState::word)],
            )?;
            session.change(
                "INSERT INTO attempt (delivery_id, number, started_ms, ended_ms, outcome, decision, consents)
                 SELECT ?1, 1 + COALESCE(MAX(number), 0), ?2, ?2, 'collected', ?3, ?4
                 FROM attempt WHERE delivery_id = ?1",
                bind![&id, now_ms, &decision_text(decision), &decision.consents.join(" ")],
            )?;
            Ok(())
        })
        .await
    }

    async fn newest_released(
        &self,
        referral: ReferralId,
        resource_type: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let resource_type = resource_type.to_owned();
        self.read(move |session| {
            session.first(
                &format!(
                    "SELECT {} FROM delivery d WHERE d.referral_id = ?1 AND d.resource_type = ?2
                       AND d.state IN (5, 9) ORDER BY d.seq DESC LIMIT 1",
                    rows::DELIVERY_COLUMNS
                ),
                bind![&referral.to_string(), &resource_type],
                rows::delivery,
            )
        })
        .await
    }
}

pub(super) fn decision_text(decision: &DecisionNote) -> String {
    format!("{} by {}", decision.outcome, decision.rule)
}

pub(super) fn link(session: &dyn Session, reference: &str, referral: ReferralId) -> Result<(), SqlError> {
    session.change(
        "INSERT INTO clinic_link (reference, referral_id) VALUES (?1, ?2)
         ON CONFLICT (reference, referral_id) DO NOTHING",
        bind![reference, &referral.to_string()],
    )?;
    Ok(())
}

/// Owes an update to the partner of its referral, once. False: it was owed before, or is our own write.
fn owe_delivery(session: &dyn Session, update: &Update, now: Timestamp) -> Result<bool, SqlError> {
    let referral = update.referral.to_string();
    if is_known(session, &referral, update)? {
        return Ok(false);
    }
    let partner =
        session.first("SELECT partner_id FROM referral WHERE referral_id = ?1", bind![&referral], |row| {
            row.get::<String>(0)
        })?;
    let partner = partner.ok_or(SqlError::Unexpected)?;
    let lane = lanes::name(&partner, &referral);
    let number = lanes::next_number(session, &lane, &partner, now.as_millisecond())?;
    supersede_older(session, update, now)?;
    insert_delivery(session, update, (&lane, number, &partner), now.as_millisecond())?;
    lanes::refresh(session, &lane)?;
    Ok(true)
}

fn insert_delivery(
    session: &dyn Session,
    update: &Update,
    (lane, number, partner): (&str, i64, &str),
    now_ms: i64,
) -> Result<(), SqlError> {
    let resource = &update.resource;
    session.change(
        "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, share, resource_type,
           resource_id, resource_version, created_ms, since_ms, due_ms)
         VALUES (?1, ?2, ?3, ?5, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?10)",
        bind![
            &DeliveryId::new(rows::timestamp(now_ms)).to_string(),
            lane,
            number,
            &update.referral.to_string(),
            partner,
            rows::share_word(update.share),
            &resource.resource_type,
            &resource.id,
            &resource.version,
            now_ms,
        ],
    )?;
    Ok(())
}

fn is_known(session: &dyn Session, referral: &str, update: &Update) -> Result<bool, SqlError> {
    let resource = &update.resource;
    let known = session.rows(
        "SELECT 1 FROM delivery WHERE referral_id = ?1 AND resource_type = ?2
           AND resource_id = ?3 AND resource_version = ?4 AND share IS NOT NULL
         UNION ALL
         SELECT 1 FROM clinic_resource WHERE referral_id = ?1 AND reference = ?5
           AND version = ?4 AND version <> '' LIMIT 1",
        bind![referral, &resource.resource_type, &resource.id, &resource.version, &resource.reference()],
    )?;
    Ok(!known.is_empty())
}

/// An older version that was never tried gives way to a newer one; one that was tried may be out already.
fn supersede_older(session: &dyn Session, update: &Update, now: Timestamp) -> Result<(), SqlError> {
    let resource = &update.resource;
    session.change(
        "UPDATE delivery SET state = 8, done_ms = ?1, reason = 'newer-version'
         WHERE referral_id = ?2 AND resource_type = ?3 AND resource_id = ?4
           AND (state = 9 OR (state = 4 AND effect_unknown = 0) OR (state = 0 AND attempts = 0))",
        bind![now.as_millisecond(), &update.referral.to_string(), &resource.resource_type, &resource.id],
    )?;
    Ok(())
}

/// Held updates about a patient are due for another decision, unless their last one knew this version: each
/// look at the clinic brings the newest Consent once more.
fn decide_again(session: &dyn Session, consent: &NoticedConsent, now_ms: i64) -> Result<(), SqlError> {
    let held = session.all(
        "SELECT d.delivery_id, d.lane_id, COALESCE(a.consents, '') FROM delivery d
         LEFT JOIN attempt a ON a.delivery_id = d.delivery_id
           AND a.number = (SELECT MAX(b.number) FROM attempt b WHERE b.delivery_id = d.delivery_id)
         WHERE d.state = 4
           AND d.referral_id IN (SELECT referral_id FROM clinic_resource WHERE reference = ?1)
         ORDER BY d.lane_id",
        bind![&consent.patient],
        |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)),
    )?;
    let ignorant = held.iter().filter(|(.., known)| !known.split(' ').any(|it| it == consent.version));
    ignorant.into_iter().try_for_each(|(id, lane, _)| decide_now(session, id, lane, now_ms))
}
