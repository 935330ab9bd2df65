//! The audit trail.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::AuditTrail;
use super::super::engine::Engine;
use super::super::seal::{Sealed, Sealer};
use super::super::sql::{Bound, Dialect, Row, Session, SqlError, bind};
use super::super::trail::{Content, Inspector, Links, Sent, TrailRow, bound_to, content_digest, hex};
use super::housekeeping::AT_ONCE;
use super::{Ledger, rows};
use crate::model::audit::{AuditFilter, AuditKind, AuditRecord, NewAuditRecord, TrailHead, TrailReport};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

/// So many records are held at a time while the whole trail is read.
const PAGE: usize = 500;

#[async_trait]
impl<E: Engine> AuditTrail for Ledger<E> {
    async fn append(&self, records: Vec<NewAuditRecord>) -> Result<(), StoreError> {
        let sealed: Vec<SealedRecord> = records.iter().map(|it| self.sealed_record(it)).collect();
        let links = self.links.clone();
        self.write(move |session| append(session, &links, &sealed)).await
    }

    async fn audit_records(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>, StoreError> {
        let found = self.read(move |session| list(session, &filter)).await?;
        found.into_iter().map(|(row, sealed)| opened(&self.sealer, row, sealed)).collect()
    }

    async fn trail_head(&self) -> Result<TrailHead, StoreError> {
        let (number, link) = self.read(|session| last(session)).await?;
        Ok(TrailHead { number, link: hex(&link) })
    }

    async fn inspect_trail(&self, kept: Option<TrailHead>) -> Result<TrailReport, StoreError> {
        let (sealer, links) = (Arc::clone(&self.sealer), self.links.clone());
        self.engine
            .snapshot(move |session| inspect(session, &sealer, Inspector::new(links.clone(), kept.clone())))
            .await
    }

    async fn inspect_behind(&self, known: TrailHead) -> Result<TrailReport, StoreError> {
        let (sealer, links) = (Arc::clone(&self.sealer), self.links.clone());
        self.engine
            .snapshot(move |session| inspect(session, &sealer, Inspector::behind(links.clone(), &known)))
            .await
    }
}

/// A record whose protected part is sealed, ready to be linked.
pub(super) struct SealedRecord {
    row: TrailRow,
    sealed: Sealed,
}

impl<E: Engine> Ledger<E> {
    pub(super) fn sealed_record(&self, record: &NewAuditRecord) -> SealedRecord {
        let id = record.id.to_string();
        let sealed = self.sealer.seal(record.content.reveal(), &bound_to(&id));
        let row = TrailRow {
            number: 0,
            id,
            kind: record.kind.word().to_owned(),
            at_ms: record.at.as_millisecond(),
            delivery: record.delivery.map(|it| it.to_string()),
            outcome: record.outcome.clone(),
            rule: record.rule.clone(),
            sent_sha256: record.sent_sha256.clone(),
            content_sha256: content_digest(&sealed),
            link: Vec::new(),
        };
        SealedRecord { row, sealed }
    }
}

/// Appends records. Whoever appends has the end of the trail to itself, so no two records get one number.
pub(super) fn append(session: &dyn Session, links: &Links, records: &[SealedRecord]) -> Result<(), SqlError> {
    lock_end(session)?;
    let (mut number, mut link) = last(session)?;
    for record in records {
        number += 1;
        let mut row = TrailRow { number, ..record.row.clone() };
        row.link = links.link(&link, &row);
        insert(session, &row, &record.sealed)?;
        link = row.link;
    }
    session.change(
        "INSERT INTO meta (name, value) VALUES ('audit_head', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        bind![&links.head(number, &link)],
    )?;
    Ok(())
}

/// Up to which record there are protected parts from before then, if there are any.
pub(super) fn purgeable(session: &dyn Session, before_ms: i64) -> Result<Option<u64>, SqlError> {
    let found = session.all(
        "SELECT number FROM audit WHERE wrapped_key IS NOT NULL AND at_ms < ?1 ORDER BY number LIMIT ?2",
        bind![before_ms, AT_ONCE],
        |row| row.get(0),
    )?;
    Ok(found.last().copied())
}

/// Destroys the protected parts up to a record.
pub(super) fn purge(session: &dyn Session, up_to: u64) -> Result<u64, SqlError> {
    session.change(
        "UPDATE audit SET wrapped_key = NULL, ciphertext = NULL WHERE number <= ?1 AND wrapped_key IS NOT NULL",
        bind![up_to],
    )
}

fn lock_end(session: &dyn Session) -> Result<(), SqlError> {
    if session.dialect() == Dialect::Postgres {
        session.change(
            "INSERT INTO meta (name, value) VALUES ('audit_lock', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            bind![&b""[..]],
        )?;
    }
    Ok(())
}

fn insert(session: &dyn Session, row: &TrailRow, sealed: &Sealed) -> Result<(), SqlError> {
    session.change(
        "INSERT INTO audit (number, audit_id, kind, at_ms, delivery_id, outcome, rule, sent_sha256,
           content_sha256, key_id, wrapped_key, ciphertext, link)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        bind![
            row.number,
            &row.id,
            &row.kind,
            row.at_ms,
            row.delivery.as_deref(),
            &row.outcome,
            &row.rule,
            row.sent_sha256.as_deref(),
            &row.content_sha256,
            &sealed.key_id,
            &sealed.wrapped_key,
            &sealed.ciphertext,
            &row.link,
        ],
    )?;
    Ok(())
}

fn last(session: &dyn Session) -> Result<(u64, Vec<u8>), SqlError> {
    let found =
        session.first("SELECT number, link FROM audit ORDER BY number DESC LIMIT 1", bind![], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(found.unwrap_or_default())
}

const COLUMNS: &str = "number, audit_id, kind, at_ms, delivery_id, outcome, rule, sent_sha256,
  content_sha256, link, key_id, wrapped_key, ciphertext";

fn trail_row(row: &Row) -> Result<(TrailRow, Option<Sealed>), SqlError> {
    let key_id = row.get(10)?;
    let wrapped_key: Option<Vec<u8>> = row.get(11)?;
    let ciphertext: Option<Vec<u8>> = row.get(12)?;
    let stored = TrailRow {
        number: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        at_ms: row.get(3)?,
        delivery: row.get(4)?,
        outcome: row.get(5)?,
        rule: row.get(6)?,
        sent_sha256: row.get(7)?,
        content_sha256: row.get(8)?,
        link: row.get(9)?,
    };
    let sealed = wrapped_key.zip(ciphertext).map(|(wrapped_key, ciphertext)| Sealed {
        key_id,
        wrapped_key,
        ciphertext,
        plain_bytes: None,
    });
    Ok((stored, sealed))
}

fn list(session: &dyn Session, filter: &AuditFilter) -> Result<Vec<(TrailRow, Option<Sealed>)>, SqlError> {
    let delivery = filter.delivery.map(|it| it.to_string());
    let wanted = [
        ("kind", filter.kind.map(|it| Bound::from(it.word()))),
        ("delivery_id", delivery.as_deref().map(Bound::from)),
        ("number", filter.number.map(Bound::from)),
    ];
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut values = Vec::new();
    for (column, value) in wanted {
        if let Some(value) = value {
            values.push(value);
            conditions.push(format!("{column} = ?{}", values.len()));
        }
    }
    values.push(Bound::from(filter.limit));
    session.all(
        &format!(
            "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY number DESC LIMIT ?{}",
            conditions.join(" AND "),
            values.len()
        ),
        &values,
        trail_row,
    )
}

fn opened(opener: &Sealer, row: TrailRow, sealed: Option<Sealed>) -> Result<AuditRecord, StoreError> {
    let unreadable = || StoreError::Unreadable { what: "audit record", id: row.id.clone() };
    let content = sealed.ok_or_else(unreadable)?;
    let content = opener.open(&content, &bound_to(&row.id)).ok_or_else(unreadable)?;
    let delivery = row.delivery.as_ref().map(|it| it.parse()).transpose().map_err(|_| unreadable())?;
    let id = row.id.parse().map_err(|_| unreadable())?;
    let kind = AuditKind::from_word(&row.kind).ok_or_else(unreadable)?;
    let record = NewAuditRecord {
        id,
        kind,
        at: rows::timestamp(row.at_ms),
        delivery,
        outcome: row.outcome,
        rule: row.rule,
        sent_sha256: row.sent_sha256,
        content: Sensitive::new(content),
    };
    Ok(AuditRecord { number: row.number, record })
}

/// One snapshot of trail and deliveries: a gateway may write meanwhile.
fn inspect(
    session: &dyn Session,
    opener: &Sealer,
    mut inspector: Inspector,
) -> Result<TrailReport, SqlError> {
    walk(session, opener, &mut inspector)?;
    if inspector.compares_deliveries() {
        compare_deliveries(session, &mut inspector)?;
    }
    let head = session
        .first("SELECT value FROM meta WHERE name = 'audit_head'", bind![], |row| row.get::<Vec<u8>>(0))?;
    Ok(inspector.finish(head.as_deref()))
}

/// Every record behind what the inspector has seen.
fn walk(session: &dyn Session, opener: &Sealer, inspector: &mut Inspector) -> Result<(), SqlError> {
    let mut read_up_to = inspector.looked_up_to();
    loop {
        let page = session.all(
            &format!("SELECT {COLUMNS} FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2"),
            bind![read_up_to, PAGE],
            trail_row,
        )?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        read_up_to = last.number;
        for (row, sealed) in page {
            let content = match sealed {
                None => Content::Gone,
                Some(it) if holds(&it, &row, opener) => Content::Holds,
                Some(_) => Content::Changed,
            };
            inspector.record(row, content);
        }
    }
}

fn holds(sealed: &Sealed, row: &TrailRow, opener: &Sealer) -> bool {
    content_digest(sealed) == row.content_sha256 && opener.open(sealed, &bound_to(&row.id)).is_some()
}

fn compare_deliveries(session: &dyn Session, inspector: &mut Inspector) -> Result<(), SqlError> {
    let mut after = String::new();
    loop {
        let page = session.all(
            "SELECT delivery_id, sent_sha256 FROM delivery
             WHERE state = 5 AND share IS NOT NULL AND delivery_id > ?1 ORDER BY delivery_id LIMIT ?2",
            bind![&after, PAGE],
            |row| Ok(Sent { delivery: row.parsed(0)?, sha256: row.get(1)? }),
        )?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.delivery.to_string();
        for sent in &page {
            inspector.sent(sent);
        }
    }
}
