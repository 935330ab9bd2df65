//! Taking a referral in: its rows, as they are inserted in one transaction.

use super::super::engine::Engine;
use super::super::seal::Sealed;
use super::super::sql::{Bound, Session, SqlError, Statement, bind};
use super::referrals::bound_to;
use super::{Ledger, events, lanes};
use crate::model::delivery::CLINIC;
use crate::model::ids::{DeliveryId, EventId, ReferralId};
use crate::model::referral::{Acceptance, KeyScope, NewReferral, SubmissionKey};

/// By what a submission is known again.
pub(super) struct Recognition {
    partner: String,
    keys: Vec<(i64, Vec<u8>)>,
    content_mac: Vec<u8>,
}

/// A new referral, sealed and ready to insert.
pub(super) struct SealedReferral {
    pub(super) id: ReferralId,
    pub(super) recognition: Recognition,
    found_by: Vec<Vec<u8>>,
    sealed: Sealed,
    received_ms: i64,
    delivery: DeliveryId,
    event: EventId,
}

impl<E: Engine> Ledger<E> {
    pub(super) fn key_mac(&self, key: &SubmissionKey) -> Vec<u8> {
        self.sealer.index(&[b"key", key.value.reveal().as_bytes()])
    }

    pub(super) fn identifier_mac(&self, identifier: &str) -> Vec<u8> {
        self.sealer.index(&[b"identifier", identifier.as_bytes()])
    }

    pub(super) fn recognition(&self, new: &NewReferral) -> Recognition {
        Recognition {
            partner: new.partner.to_string(),
            keys: new.keys.iter().map(|key| (key.scope as i64, self.key_mac(key))).collect(),
            content_mac: self.sealer.index(&[b"content", new.canonical.reveal()]),
        }
    }

    pub(super) fn sealed_referral(&self, new: &NewReferral) -> SealedReferral {
        let bound_to = bound_to(&new.id.to_string(), new.partner.as_str());
        SealedReferral {
            id: new.id,
            recognition: self.recognition(new),
            found_by: new.found_by.iter().map(|it| self.identifier_mac(it.reveal())).collect(),
            sealed: self.sealer.seal(new.body.reveal(), &bound_to),
            received_ms: new.received.as_millisecond(),
            delivery: DeliveryId::new(new.received),
            event: EventId::new(new.received),
        }
    }
}

impl Recognition {
    /// Whether a key of it is taken, and if so whether by the same content.
    pub(super) fn known(&self, session: &dyn Session) -> Result<Option<Acceptance>, SqlError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let mut values = vec![Bound::from(&self.partner)];
        let mut by_key = Vec::new();
        for (scope, mac) in &self.keys {
            values.extend([Bound::from(*scope), Bound::from(mac)]);
            by_key.push(format!("(k.scope = ?{} AND k.key_mac = ?{})", values.len() - 1, values.len()));
        }
        let taken = session.all(
            &format!(
                "SELECT k.scope, k.key_mac, r.referral_id, r.content_mac FROM submission_key k
                 JOIN referral r ON r.referral_id = k.referral_id WHERE k.partner_id = ?1 AND ({})",
                by_key.join(" OR ")
            ),
            &values,
            |row| {
                let key: (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                Ok((key, row.parsed(2)?, row.get::<Vec<u8>>(3)?))
            },
        )?;
        // The first of its keys counts.
        let first = self.keys.iter().find_map(|key| taken.iter().find(|(taken, ..)| taken == key));
        Ok(first.map(|((scope, _), id, content)| {
            // What was sent is its own content; what it refers to may have changed since.
            let same = *scope == KeyScope::Sent as i64 || *content == self.content_mac;
            if same { Acceptance::Repeated(*id) } else { Acceptance::Conflict }
        }))
    }
}

impl SealedReferral {
    pub(super) fn insert(&self, session: &dyn Session) -> Result<(), SqlError> {
        session.announce_work();
        let (id, delivery, event) = (self.id.to_string(), self.delivery.to_string(), self.event.to_string());
        let lane = lanes::name(CLINIC, &id);
        let mut statements = self.content(&id);
        statements.extend(lanes::made(&lane, CLINIC, self.received_ms));
        statements.push(Statement::new(
            "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, created_ms,
               since_ms, due_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7)",
            bind![
                &delivery,
                &lane,
                lanes::FIRST_NUMBER,
                CLINIC,
                &id,
                &self.recognition.partner,
                self.received_ms
            ],
        ));
        statements.push(Statement::new(
            events::RECORD,
            bind![&event, self.received_ms, "accepted", &self.recognition.partner, &id, None::<&str>, ""],
        ));
        session.change_all(&statements)
    }

    /// What was sent, and what it is found by.
    fn content<'a>(&'a self, id: &'a String) -> Vec<Statement<'a>> {
        let mut statements = vec![
            payload(id, &self.sealed, self.received_ms),
            Statement::new(
                "INSERT INTO referral (referral_id, partner_id, payload_id, content_mac, received_ms, updated_ms)
                 VALUES (?1, ?2, ?1, ?3, ?4, ?4)",
                bind![id, &self.recognition.partner, &self.recognition.content_mac, self.received_ms],
            ),
        ];
        statements.extend(self.recognition.keys.iter().map(|(scope, mac)| {
            Statement::new(
                "INSERT INTO submission_key (partner_id, scope, key_mac, referral_id) VALUES (?1, ?2, ?3, ?4)",
                bind![&self.recognition.partner, *scope, mac, id],
            )
        }));
        statements.extend(self.found_by.iter().map(|mac| {
            Statement::new(
                "INSERT INTO referral_identifier (partner_id, identifier_mac, referral_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT (partner_id, identifier_mac, referral_id) DO NOTHING",
                bind![&self.recognition.partner, mac, id],
            )
        }));
        statements
    }
}

/// Keeps a sealed body under the id of what it is the body of.
pub(super) fn payload<'a>(id: &'a String, sealed: &'a Sealed, created_ms: i64) -> Statement<'a> {
    Statement::new(
        "INSERT INTO payload (payload_id, key_id, wrapped_key, ciphertext, plain_bytes, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        bind![id, &sealed.key_id, &sealed.wrapped_key, &sealed.ciphertext, sealed.plain_bytes, created_ms],
    )
}
