//! What the clinic did, and how far we have read.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Collected, Noticed, NoticedConsent, Updates};
use super::audit::append;
use super::{SqliteStore, rows};
use crate::model::delivery::{Delivery, DeliveryState};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::update::{DecisionNote, ResourceVersion, Update};
use crate::model::work::StoreError;

#[async_trait]
impl Updates for SqliteStore {
    async fn read_up_to(&self, source: &str) -> Result<Option<Timestamp>, StoreError> {
        let source = source.to_owned();
        self.read(move |connection| {
            connection
                .query_row(
                    "SELECT read_up_to_ms FROM feed_cursor WHERE source = ?1",
                    params![source],
                    |row| rows::time(row, 0),
                )
                .optional()
        })
        .await
    }

    async fn referrals_linked_to(
        &self,
        references: Vec<String>,
    ) -> Result<Vec<(String, ReferralId)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT referral_id FROM clinic_link WHERE reference = ?1 ORDER BY 1")?;
            let mut found = Vec::new();
            for reference in references {
                for id in statement.query_map(params![reference], |row| rows::parsed(row, 0))? {
                    found.push((reference.clone(), id?));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn record(&self, noticed: Noticed, now: Timestamp) -> Result<usize, StoreError> {
        let now_ms = now.as_millisecond();
        self.write(move |connection| {
            for (reference, referral) in &noticed.links {
                link(connection, reference, *referral)?;
            }
            let mut new = 0;
            for update in &noticed.updates {
                new += usize::from(owe_delivery(connection, update, now)?);
            }
            for consent in &noticed.consents {
                decide_again(connection, consent, now_ms)?;
            }
            for changed in &noticed.changed {
                decide_dependants_again(connection, changed, now_ms)?;
            }
            connection.execute(
                "INSERT INTO feed_cursor (source, read_up_to_ms)
                 VALUES (?1, min(?2, COALESCE((SELECT MIN(clinic_at_ms) FROM referral), ?2)))
                 ON CONFLICT (source) DO UPDATE SET read_up_to_ms = ?2
                 WHERE feed_cursor.read_up_to_ms >= COALESCE(?3, feed_cursor.read_up_to_ms)",
                params![
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
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {} FROM delivery d
                 WHERE d.partner_id = ?1 AND d.resource_type = ?2 AND d.state IN (5, 9) AND NOT EXISTS
                   (SELECT 1 FROM delivery e WHERE e.referral_id = d.referral_id
                      AND e.resource_type = d.resource_type AND e.resource_id = d.resource_id
                      AND e.seq > d.seq AND e.state IN (5, 9))
                 ORDER BY d.rowid DESC",
                rows::DELIVERY_COLUMNS
            ))?;
            statement.query_map(params![partner, resource_type], rows::delivery)?.collect()
        })
        .await
    }

    async fn collected(&self, collected: Collected, now: Timestamp) -> Result<(), StoreError> {
        let now_ms = now.as_millisecond();
        let records: Vec<_> = collected.records.iter().map(|it| self.sealed_record(it)).collect();
        let links = self.links.clone();
        self.write(move |connection| {
            let Collected { delivery, decision, sent_sha256, .. } = collected;
            let id = delivery.to_string();
            append(connection, &links, &records)?;
            connection.execute(
                "UPDATE delivery SET state = ?1, done_ms = ?2, reason = NULL WHERE delivery_id = ?3 AND state = 9",
                params![DeliveryState::Delivered as i64, now_ms, id],
            )?;
            connection.execute(
                "UPDATE delivery SET sent_sha256 = ?1 WHERE delivery_id = ?2 AND state = 5",
                params![sent_sha256, id],
            )?;
            connection.execute(
                "INSERT INTO attempt (delivery_id, number, started_ms, ended_ms, outcome, decision, consents)
                 SELECT ?1, 1 + COALESCE(MAX(number), 0), ?2, ?2, 'collected', ?3, ?4
                 FROM attempt WHERE delivery_id = ?1",
                params![id, now_ms, decision_text(&decision), decision.consents.join(" ")],
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
        self.read(move |connection| {
            connection
                .query_row(
                    &format!(
                        "SELECT {} FROM delivery d WHERE d.referral_id = ?1 AND d.resource_type = ?2
                           AND d.state IN (5, 9) ORDER BY d.seq DESC LIMIT 1",
                        rows::DELIVERY_COLUMNS
                    ),
                    params![referral.to_string(), resource_type],
                    rows::delivery,
                )
                .optional()
        })
        .await
    }
}

pub(super) fn decision_text(decision: &DecisionNote) -> String {
    format!("{} by {}", decision.outcome, decision.rule)
}

pub(super) fn link(connection: &Connection, reference: &str, referral: ReferralId) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR IGNORE INTO clinic_link (reference, referral_id) VALUES (?1, ?2)",
        params![reference, referral.to_string()],
    )?;
    Ok(())
}

/// Owes an update to the partner of its referral, once. False: it was owed before, or is our own write.
fn owe_delivery(connection: &Connection, update: &Update, now: Timestamp) -> rusqlite::Result<bool> {
    let (referral, resource) = (update.referral.to_string(), &update.resource);
    if is_known(connection, &referral, update)? {
        return Ok(false);
    }
    supersede_older(connection, update, now)?;
    let partner: String = connection.query_row(
        "SELECT partner_id FROM referral WHERE referral_id = ?1",
        params![referral],
        |row| row.get(0),
    )?;
    let lane = format!("{partner}/{referral}");
    let seq: i64 = connection.query_row(
        "INSERT INTO lane (lane_id, next_seq) VALUES (?1, 2)
         ON CONFLICT (lane_id) DO UPDATE SET next_seq = next_seq + 1 RETURNING next_seq - 1",
        params![lane],
        |row| row.get(0),
    )?;
    connection.execute(
        "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, share, resource_type,
           resource_id, resource_version, created_ms, since_ms, due_ms)
         VALUES (?1, ?2, ?3, ?5, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?10)",
        params![
            DeliveryId::new(now).to_string(),
            lane,
            seq,
            referral,
            partner,
            rows::share_word(update.share),
            resource.resource_type,
            resource.id,
            resource.version,
            now.as_millisecond(),
        ],
    )?;
    Ok(true)
}

fn is_known(connection: &Connection, referral: &str, update: &Update) -> rusqlite::Result<bool> {
    let resource = &update.resource;
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE referral_id = ?1 AND resource_type = ?2
                          AND resource_id = ?3 AND resource_version = ?4)
             OR EXISTS (SELECT 1 FROM clinic_resource WHERE referral_id = ?1 AND reference = ?5
                          AND version = ?4 AND version <> '')",
        params![referral, resource.resource_type, resource.id, resource.version, resource.reference()],
        |row| row.get(0),
    )
}

/// An older version that was never tried gives way to a newer one; one that was tried may be out already.
fn supersede_older(connection: &Connection, update: &Update, now: Timestamp) -> rusqlite::Result<()> {
    let resource = &update.resource;
    connection.execute(
        "UPDATE delivery SET state = 8, done_ms = ?1, reason = 'newer-version'
         WHERE referral_id = ?2 AND resource_type = ?3 AND resource_id = ?4
           AND (state = 9 OR (state = 4 AND effect_unknown = 0) OR (state = 0 AND attempts = 0))",
        params![now.as_millisecond(), update.referral.to_string(), resource.resource_type, resource.id],
    )?;
    Ok(())
}

/// Held updates about a patient are due for another decision, unless their last one knew this version: each
/// look at the clinic brings the newest Consent once more.
fn decide_again(connection: &Connection, consent: &NoticedConsent, now_ms: i64) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE delivery SET due_ms = ?1 WHERE state = 4
           AND referral_id IN (SELECT referral_id FROM clinic_resource WHERE reference = ?2)
           AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.delivery_id = delivery.delivery_id
             AND a.number = (SELECT MAX(number) FROM attempt b WHERE b.delivery_id = delivery.delivery_id)
             AND instr(' ' || COALESCE(a.consents, '') || ' ', ' ' || ?3 || ' ') > 0)",
        params![now_ms, consent.patient, consent.version],
    )?;
    Ok(())
}

/// Held updates are due for another decision if their last one read another version of this, or could not
/// read it.
fn decide_dependants_again(
    connection: &Connection,
    changed: &ResourceVersion,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE delivery SET due_ms = ?1 WHERE state = 4 AND delivery_id IN
           (SELECT delivery_id FROM depends_on WHERE reference = ?2 AND version <> ?3)",
    )?;
    statement.execute(params![now_ms, changed.reference(), changed.version])?;
    Ok(())
}

/// Keeps what a held update depends on, and forgets it once it is not held any more.
pub(super) fn keep_dependencies(
    connection: &Connection,
    id: DeliveryId,
    dependencies: &[ResourceVersion],
) -> rusqlite::Result<()> {
    let id = id.to_string();
    connection.execute("DELETE FROM depends_on WHERE delivery_id = ?1", params![id])?;
    for it in dependencies {
        connection.execute(
            "INSERT OR REPLACE INTO depends_on (reference, delivery_id, version) VALUES (?1, ?2, ?3)",
            params![it.reference(), id, it.version],
        )?;
    }
    Ok(())
}
