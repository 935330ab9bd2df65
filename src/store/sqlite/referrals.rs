//! What partners sent.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::Referrals;
use super::super::seal::Sealed;
use super::{SqliteStore, rows};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::referral::{Acceptance, NewReferral, Referral, SubmissionKey};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

#[async_trait]
impl Referrals for SqliteStore {
    async fn accept(&self, new: NewReferral) -> Result<Acceptance, StoreError> {
        let row = self.sealed_row(&new);
        self.write(move |connection| match row.known(connection)? {
            Some(known) => Ok(known),
            None => row.insert(connection).map(|()| Acceptance::Recorded(row.id)),
        })
        .await
    }

    async fn known(&self, new: NewReferral) -> Result<Option<Acceptance>, StoreError> {
        let row = self.sealed_row(&new);
        self.read(move |connection| row.known(connection)).await
    }

    async fn referral(&self, id: ReferralId) -> Result<Option<Referral>, StoreError> {
        self.read(move |connection| referral_by_id(connection, id)).await
    }

    async fn referrals_of(
        &self,
        partner: &PartnerId,
        before: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Referral>, StoreError> {
        let partner = partner.to_string();
        let before = before.map_or_else(|| "ref-~".to_owned(), |id| id.to_string());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {} FROM referral WHERE partner_id = ?1 AND referral_id < ?2
                 ORDER BY referral_id DESC LIMIT ?3",
                rows::REFERRAL_COLUMNS
            ))?;
            let found = statement
                .query_map(params![partner, before, limit], |row| rows::referral(connection, row))?;
            found.collect()
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
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {} FROM referral WHERE referral_id IN
                   (SELECT referral_id FROM referral_identifier WHERE partner_id = ?1 AND identifier_mac = ?2)
                 ORDER BY referral_id DESC LIMIT ?3",
                rows::REFERRAL_COLUMNS
            ))?;
            let found =
                statement.query_map(params![partner, mac, limit], |row| rows::referral(connection, row))?;
            found.collect()
        })
        .await
    }

    async fn body(&self, id: ReferralId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError> {
        let found: Option<(String, Option<Sealed>)> = self
            .read(move |connection| {
                connection
                    .query_row(
                        "SELECT r.partner_id, p.wrapped_key, p.ciphertext
                         FROM referral r JOIN payload p USING (payload_id) WHERE r.referral_id = ?1",
                        params![id.to_string()],
                        |row| Ok((row.get(0)?, sealed(row.get(1)?, row.get(2)?))),
                    )
                    .optional()
            })
            .await?;
        let Some((partner, Some(sealed))) = found else {
            return Ok(None);
        };
        let opener = Arc::clone(&self.sealer);
        let plain = opener.open(&sealed, &bound_to(id, &partner))?;
        Ok(Some(Sensitive::new(plain)))
    }
}

fn sealed(wrapped_key: Option<Vec<u8>>, ciphertext: Option<Vec<u8>>) -> Option<Sealed> {
    Some(Sealed { wrapped_key: wrapped_key?, ciphertext: ciphertext? })
}

/// What a payload belongs to. Under another referral or another partner it does not open.
fn bound_to(id: ReferralId, partner: &str) -> String {
    format!("inbound|{id}|{partner}")
}

fn referral_by_id(connection: &Connection, id: ReferralId) -> rusqlite::Result<Option<Referral>> {
    connection
        .query_row(
            &format!("SELECT {} FROM referral WHERE referral_id = ?1", rows::REFERRAL_COLUMNS),
            params![id.to_string()],
            |row| rows::referral(connection, row),
        )
        .optional()
}

fn find_key(
    connection: &Connection,
    partner: &str,
    scope: i64,
    mac: &[u8],
) -> rusqlite::Result<Option<ReferralId>> {
    connection
        .query_row(
            "SELECT referral_id FROM submission_key WHERE partner_id = ?1 AND scope = ?2 AND key_mac = ?3",
            params![partner, scope, mac],
            |row| rows::parsed(row, 0),
        )
        .optional()
}

/// The clinic as an endpoint. No partner's id begins so.
const CLINIC: &str = "@clinic";

/// A new referral, sealed and ready to insert.
struct SealedReferral {
    id: ReferralId,
    partner: String,
    keys: Vec<(i64, Vec<u8>)>,
    found_by: Vec<Vec<u8>>,
    content_mac: Vec<u8>,
    sealed: Sealed,
    plain_bytes: usize,
    received_ms: i64,
    delivery: DeliveryId,
}

impl SqliteStore {
    fn key_mac(&self, key: &SubmissionKey) -> Vec<u8> {
        self.sealer.index(&[b"key", key.value.reveal().as_bytes()])
    }

    fn identifier_mac(&self, identifier: &str) -> Vec<u8> {
        self.sealer.index(&[b"identifier", identifier.as_bytes()])
    }

    fn sealed_row(&self, new: &NewReferral) -> SealedReferral {
        let body = new.body.reveal();
        SealedReferral {
            id: new.id,
            partner: new.partner.to_string(),
            keys: new.keys.iter().map(|key| (key.scope as i64, self.key_mac(key))).collect(),
            found_by: new.found_by.iter().map(|it| self.identifier_mac(it.reveal())).collect(),
            content_mac: self.sealer.index(&[b"content", new.canonical.reveal()]),
            sealed: self.sealer.seal(body, &bound_to(new.id, new.partner.as_str())),
            plain_bytes: body.len(),
            received_ms: new.received.as_millisecond(),
            delivery: DeliveryId::new(new.received),
        }
    }
}

impl SealedReferral {
    /// Whether a key of it is taken, and if so whether by the same content.
    fn known(&self, connection: &Connection) -> rusqlite::Result<Option<Acceptance>> {
        for (scope, mac) in &self.keys {
            let Some(id) = find_key(connection, &self.partner, *scope, mac)? else {
                continue;
            };
            let content: Vec<u8> = connection.query_row(
                "SELECT content_mac FROM referral WHERE referral_id = ?1",
                params![id.to_string()],
                |row| row.get(0),
            )?;
            let same = content == self.content_mac;
            return Ok(Some(if same { Acceptance::Repeated(id) } else { Acceptance::Conflict }));
        }
        Ok(None)
    }

    fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let id = self.id.to_string();
        connection.execute(
            "INSERT INTO payload (payload_id, wrapped_key, ciphertext, plain_bytes, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, self.sealed.wrapped_key, self.sealed.ciphertext, self.plain_bytes, self.received_ms],
        )?;
        connection.execute(
            "INSERT INTO referral (referral_id, partner_id, payload_id, content_mac, received_ms, updated_ms)
             VALUES (?1, ?2, ?1, ?3, ?4, ?4)",
            params![id, self.partner, self.content_mac, self.received_ms],
        )?;
        for (scope, mac) in &self.keys {
            connection.execute(
                "INSERT INTO submission_key (partner_id, scope, key_mac, referral_id) VALUES (?1, ?2, ?3, ?4)",
                params![self.partner, scope, mac, id],
            )?;
        }
        for mac in &self.found_by {
            connection.execute(
                "INSERT OR IGNORE INTO referral_identifier (partner_id, identifier_mac, referral_id)
                 VALUES (?1, ?2, ?3)",
                params![self.partner, mac, id],
            )?;
        }
        self.owe_forward(connection)
    }

    fn owe_forward(&self, connection: &Connection) -> rusqlite::Result<()> {
        let lane = format!("{CLINIC}/{}", self.id);
        connection.execute("INSERT INTO lane (lane_id, next_seq) VALUES (?1, 2)", params![lane])?;
        connection.execute(
            "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, created_ms, since_ms,
               due_ms)
             VALUES (?1, ?2, 1, ?6, ?3, ?4, ?5, ?5, ?5)",
            params![self.delivery.to_string(), lane, self.id.to_string(), self.partner, self.received_ms, CLINIC],
        )?;
        Ok(())
    }
}
