//! The audit trail.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::super::AuditTrail;
use super::super::seal::{Sealed, Sealer};
use super::super::trail::{Inspector, Links, Sent, TrailRow, bound_to, content_digest, hex};
use super::{SqliteStore, rows};
use crate::model::audit::{AuditFilter, AuditKind, AuditRecord, NewAuditRecord, TrailHead, TrailReport};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

#[async_trait]
impl AuditTrail for SqliteStore {
    async fn append(&self, records: Vec<NewAuditRecord>) -> Result<(), StoreError> {
        let sealed: Vec<SealedRecord> = records.iter().map(|it| self.sealed_record(it)).collect();
        let links = self.links.clone();
        self.write(move |connection| append(connection, &links, &sealed)).await
    }

    async fn audit_records(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>, StoreError> {
        let found = self.read(move |connection| list(connection, &filter)).await?;
        found.into_iter().map(|(row, sealed)| opened(&self.sealer, row, sealed)).collect()
    }

    async fn trail_head(&self) -> Result<TrailHead, StoreError> {
        let (number, link) = self.read(last).await?;
        Ok(TrailHead { number, link: hex(&link) })
    }

    async fn inspect_trail(&self, kept: Option<TrailHead>) -> Result<TrailReport, StoreError> {
        let (sealer, inspector) = (Arc::clone(&self.sealer), Inspector::new(self.links.clone(), kept));
        self.read(move |connection| inspect(connection, &sealer, inspector)).await
    }
}

/// A record whose protected part is sealed, ready to be linked.
pub(super) struct SealedRecord {
    row: TrailRow,
    sealed: Sealed,
}

impl SqliteStore {
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

/// Appends records. Only the writer calls this, so no two records get one number.
pub(super) fn append(
    connection: &Connection,
    links: &Links,
    records: &[SealedRecord],
) -> rusqlite::Result<()> {
    let (mut number, mut link) = last(connection)?;
    for record in records {
        number += 1;
        let mut row = TrailRow { number, ..record.row.clone() };
        row.link = links.link(&link, &row);
        insert(connection, &row, &record.sealed)?;
        link = row.link;
    }
    connection.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('audit_head', ?1)",
        params![links.head(number, &link)],
    )?;
    Ok(())
}

fn insert(connection: &Connection, row: &TrailRow, sealed: &Sealed) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (number, audit_id, kind, at_ms, delivery_id, outcome, rule, sent_sha256,
           content_sha256, wrapped_key, ciphertext, link)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(params![
        row.number,
        row.id,
        row.kind,
        row.at_ms,
        row.delivery,
        row.outcome,
        row.rule,
        row.sent_sha256,
        row.content_sha256,
        sealed.wrapped_key,
        sealed.ciphertext,
        row.link,
    ])?;
    Ok(())
}

fn last(connection: &Connection) -> rusqlite::Result<(u64, Vec<u8>)> {
    let mut statement =
        connection.prepare_cached("SELECT number, link FROM audit ORDER BY number DESC LIMIT 1")?;
    let found = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}

const COLUMNS: &str = "number, audit_id, kind, at_ms, delivery_id, outcome, rule, sent_sha256,
  content_sha256, link, wrapped_key, ciphertext";

fn trail_row(row: &Row<'_>) -> rusqlite::Result<(TrailRow, Option<Sealed>)> {
    let wrapped_key: Option<Vec<u8>> = row.get(10)?;
    let ciphertext: Option<Vec<u8>> = row.get(11)?;
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
    let sealed =
        wrapped_key.zip(ciphertext).map(|(wrapped_key, ciphertext)| Sealed { wrapped_key, ciphertext });
    Ok((stored, sealed))
}

fn list(connection: &Connection, filter: &AuditFilter) -> rusqlite::Result<Vec<(TrailRow, Option<Sealed>)>> {
    let mut conditions = vec!["1 = 1"];
    let mut values: Vec<Value> = Vec::new();
    if let Some(kind) = filter.kind {
        conditions.push("kind = ?");
        values.push(kind.word().to_owned().into());
    }
    if let Some(delivery) = filter.delivery {
        conditions.push("delivery_id = ?");
        values.push(delivery.to_string().into());
    }
    if let Some(number) = filter.number {
        conditions.push("number = ?");
        values.push(i64::try_from(number).unwrap_or(i64::MAX).into());
    }
    values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY number DESC LIMIT ?",
        conditions.join(" AND ")
    ))?;
    statement.query_map(params_from_iter(values), trail_row)?.collect()
}

fn opened(opener: &Sealer, row: TrailRow, sealed: Option<Sealed>) -> Result<AuditRecord, StoreError> {
    let unreadable = || StoreError::Unreadable("audit record");
    let content = sealed.ok_or_else(unreadable)?;
    let content = opener.open(&content, &bound_to(&row.id)).map_err(|_| unreadable())?;
    let delivery = row.delivery.map(|it| it.parse()).transpose().map_err(|_| unreadable())?;
    let record = NewAuditRecord {
        id: row.id.parse().map_err(|_| unreadable())?,
        kind: AuditKind::from_word(&row.kind).ok_or_else(unreadable)?,
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
    connection: &Connection,
    opener: &Sealer,
    mut inspector: Inspector,
) -> rusqlite::Result<TrailReport> {
    let snapshot = connection.unchecked_transaction()?;
    let mut statement = snapshot.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY number"))?;
    for found in statement.query_map([], trail_row)? {
        let (row, sealed) = found?;
        // Nothing purges the trail yet, so a protected part that is gone was taken away.
        let holds = sealed.is_some_and(|it| {
            content_digest(&it) == row.content_sha256 && opener.open(&it, &bound_to(&row.id)).is_ok()
        });
        inspector.record(row, holds);
    }
    let mut statement = snapshot.prepare(
        "SELECT delivery_id, sent_sha256 FROM delivery WHERE state = 5 AND share IS NOT NULL ORDER BY rowid",
    )?;
    let sent = |row: &Row<'_>| Ok(Sent { delivery: rows::parsed(row, 0)?, sha256: row.get(1)? });
    for found in statement.query_map([], sent)? {
        inspector.sent(&found?);
    }
    let head: Option<Vec<u8>> = snapshot
        .query_row("SELECT value FROM meta WHERE name = 'audit_head'", [], |row| row.get(0))
        .optional()?;
    Ok(inspector.finish(head.as_deref()))
}
