//! What partners send about referrals that we have: one more thing that is owed to the clinic, in the referral's lane.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::Replies;
use super::super::engine::Engine;
use super::super::seal::Sealed;
use super::super::sql::{Row, Session, SqlError, bind};
use super::new_referral::payload;
use super::referrals::bound_to;
use super::{Ledger, events, lanes, rows};
use crate::model::delivery::CLINIC;
use crate::model::ids::{DeliveryId, EventId, PartnerId, ReferralId, ReplyId};
use crate::model::reply::{NewReply, Reply, ReplyAcceptance, ReplyKind};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

const REPLY: &str = "
  SELECT y.reply_id, y.referral_id, y.kind, y.received_ms,
    CASE WHEN d.state = 5 THEN d.remote_reference END,
    CASE WHEN d.state IN (6, 7, 10) THEN 1 ELSE 0 END, y.partner_id
  FROM reply y JOIN delivery d ON d.referral_id = y.referral_id AND d.reply_id = y.reply_id";

#[async_trait]
impl<E: Engine> Replies for Ledger<E> {
    async fn accept_reply(&self, new: NewReply) -> Result<ReplyAcceptance, StoreError> {
        let row = Arc::new(self.sealed_reply(&new));
        let recorded = Arc::clone(&row);
        let accepted = self.write(move |session| match row.known(session)? {
            Some(known) => Ok(known),
            None => row.insert(session).map(|()| ReplyAcceptance::Recorded(row.id)),
        });
        match accepted.await {
            Err(error @ StoreError::Unavailable(_)) if self.engine.can_look_after_a_lost_commit() => {
                match self.read(move |session| recorded.known(session)).await? {
                    Some(ReplyAcceptance::Repeated(id)) if id == new.id => Ok(ReplyAcceptance::Recorded(id)),
                    known => known.ok_or(error),
                }
            }
            other => other,
        }
    }

    async fn known_reply(&self, new: NewReply) -> Result<Option<ReplyAcceptance>, StoreError> {
        let row = self.sealed_reply(&new);
        self.read(move |session| row.known(session)).await
    }

    async fn replies(&self, referral: ReferralId) -> Result<Vec<Reply>, StoreError> {
        self.read(move |session| {
            let found = session.rows(
                &format!("{REPLY} WHERE y.referral_id = ?1 ORDER BY y.reply_id"),
                bind![&referral.to_string()],
            )?;
            rows::readable(&found, reply)
        })
        .await
    }

    async fn reply(&self, id: ReplyId) -> Result<Option<Reply>, StoreError> {
        self.read(move |session| {
            session.first(&format!("{REPLY} WHERE y.reply_id = ?1"), bind![&id.to_string()], reply)
        })
        .await
    }

    async fn reply_body(&self, id: ReplyId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError> {
        let whose = "SELECT partner_id AS partner, reply_id AS payload FROM reply WHERE reply_id = ?1";
        self.payload(id.to_string(), whose).await
    }
}

fn reply(row: &Row) -> Result<Reply, SqlError> {
    let kind = ReplyKind::of_word(&row.get::<String>(2)?).ok_or(SqlError::Unexpected)?;
    Ok(Reply {
        id: row.parsed(0)?,
        referral: row.parsed(1)?,
        partner: PartnerId::new(row.get::<String>(6)?),
        kind,
        received: rows::time(row, 3)?,
        at_clinic: row.get(4)?,
        stopped: row.get(5)?,
    })
}

impl<E: Engine> Ledger<E> {
    fn sealed_reply(&self, new: &NewReply) -> SealedReply {
        let partner = new.partner.to_string();
        SealedReply {
            id: new.id,
            referral: new.referral.to_string(),
            kind: new.kind,
            keys: new.keys.iter().map(|key| (key.scope as i64, self.key_mac(key))).collect(),
            content_mac: self.sealer.index(&[b"content", new.canonical.reveal()]),
            sealed: self.sealer.seal(new.body.reveal(), &bound_to(&new.id.to_string(), &partner)),
            received_ms: new.received.as_millisecond(),
            delivery: DeliveryId::new(new.received),
            event: EventId::new(new.received),
            partner,
        }
    }
}

/// A new reply, sealed and ready to insert.
struct SealedReply {
    id: ReplyId,
    referral: String,
    partner: String,
    kind: ReplyKind,
    keys: Vec<(i64, Vec<u8>)>,
    content_mac: Vec<u8>,
    sealed: Sealed,
    received_ms: i64,
    delivery: DeliveryId,
    event: EventId,
}

impl SealedReply {
    /// Whether a key of it is taken, and if so whether by the same content about the same referral.
    fn known(&self, session: &dyn Session) -> Result<Option<ReplyAcceptance>, SqlError> {
        for (scope, mac) in &self.keys {
            let taken = session.first(
                "SELECT y.reply_id, y.referral_id, y.content_mac FROM reply_key k
                 JOIN reply y ON y.reply_id = k.reply_id
                 WHERE k.partner_id = ?1 AND k.scope = ?2 AND k.key_mac = ?3",
                bind![&self.partner, *scope, mac],
                |row| Ok((row.parsed(0)?, row.get::<String>(1)?, row.get::<Vec<u8>>(2)?)),
            )?;
            if let Some((id, referral, content)) = taken {
                let same = referral == self.referral && content == self.content_mac;
                return Ok(Some(if same {
                    ReplyAcceptance::Repeated(id)
                } else {
                    ReplyAcceptance::Conflict
                }));
            }
        }
        Ok(None)
    }

    fn insert(&self, session: &dyn Session) -> Result<(), SqlError> {
        let (id, delivery, event) = (self.id.to_string(), self.delivery.to_string(), self.event.to_string());
        let lane = lanes::name(CLINIC, &self.referral);
        // First of all the lane: until the transaction ends, nobody else who replies gets past it.
        let number = lanes::next_number(session, &lane, CLINIC, self.received_ms)?;
        self.insert_content(session, &id)?;
        session.change(
            "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, created_ms,
               since_ms, due_ms, reply_id, reply_kind)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7, ?8, ?9)",
            bind![
                &delivery,
                &lane,
                number,
                CLINIC,
                &self.referral,
                &self.partner,
                self.received_ms,
                &id,
                self.kind.word()
            ],
        )?;
        lanes::refresh(session, &lane)?;
        session.change(
            events::RECORD,
            bind![
                &event,
                self.received_ms,
                "replied",
                &self.partner,
                &self.referral,
                Some(delivery.as_str()),
                self.kind.word()
            ],
        )?;
        Ok(())
    }

    /// What was sent, and by what it is known again.
    fn insert_content(&self, session: &dyn Session, id: &String) -> Result<(), SqlError> {
        session.change_all(&[payload(id, &self.sealed, self.received_ms)])?;
        session.change(
            "INSERT INTO reply (reply_id, referral_id, partner_id, kind, content_mac, received_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            bind![id, &self.referral, &self.partner, self.kind.word(), &self.content_mac, self.received_ms],
        )?;
        for (scope, mac) in &self.keys {
            session.change(
                "INSERT INTO reply_key (partner_id, scope, key_mac, reply_id) VALUES (?1, ?2, ?3, ?4)",
                bind![&self.partner, *scope, mac, id],
            )?;
        }
        Ok(())
    }
}
