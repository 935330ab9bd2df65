//! `audit`: the record of decisions and disclosures, read beside a gateway that may be running.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json as object};

use super::settings::SettingsFolder;
use super::{fail, failed, say};
use crate::fhir::json;
use crate::model::audit::{AuditFilter, AuditKind, AuditRecord, Tampering, TrailHead, TrailReport};
use crate::model::ids::DeliveryId;

/// The record of decisions and disclosures.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List records, newest first.
    List(List),
    /// Show one record: its AuditEvent (FHIR R4) and what it was decided by. Holds protected data.
    Show(Show),
    /// Prove that no record was changed or removed, and that every delivery had its decision. Exit code 0 or 1.
    Verify(Verify),
}

/// Which records.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    settings: SettingsFolder,
    /// Only of this kind: decision, disclosure, late-revocation, not-looked-again, consent-check.
    #[arg(long, value_parser = kind)]
    kind: Option<AuditKind>,
    /// Only this delivery's.
    #[arg(long, value_name = "dlv-…")]
    delivery: Option<DeliveryId>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Which record.
#[derive(Args, Debug)]
pub struct Show {
    /// Its number.
    number: u64,
    #[command(flatten)]
    settings: SettingsFolder,
}

/// Against what.
#[derive(Args, Debug)]
pub struct Verify {
    #[command(flatten)]
    settings: SettingsFolder,
    /// The end of the trail as it was noted down before: `NUMBER:LINK`, as this command prints it.
    #[arg(long, value_name = "NUMBER:LINK", value_parser = head)]
    head: Option<TrailHead>,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let ended = match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Verify(verify) => verify.run().await,
        };
        // Either way an exit code; an early one has told its reason.
        ended.unwrap_or_else(|code| code)
    }
}

impl List {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let filter =
            AuditFilter { kind: self.kind, delivery: self.delivery, number: None, limit: self.limit };
        for record in &store.audit_records(filter).await.map_err(failed)? {
            say(&if self.json { as_json(record).to_string() } else { as_line(record) });
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let filter = AuditFilter { number: Some(self.number), limit: 1, ..AuditFilter::default() };
        let found = store.audit_records(filter).await.map_err(failed)?;
        let record = found.first().ok_or_else(|| fail(&format!("there is no record {}", self.number)))?;
        let mut shown = as_json(record);
        shown["content"] = json::parse(record.record.content.reveal()).unwrap_or_default();
        say(&serde_json::to_string_pretty(&shown).unwrap_or_default());
        Ok(ExitCode::SUCCESS)
    }
}

impl Verify {
    async fn run(self) -> Result<ExitCode, ExitCode> {
        let store = self.settings.ledger().await?;
        let report = store.inspect_trail(self.head).await.map_err(failed)?;
        say(&if self.json { report_json(&report).to_string() } else { report_text(&report) });
        Ok(if report.tampering.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn report_text(report: &TrailReport) -> String {
    let TrailHead { number, link } = &report.head;
    let told = if report.tampering.is_empty() {
        format!(
            "{number} records: none changed, none removed. {} deliveries went out, each with its decision.",
            report.delivered
        )
    } else {
        let found: Vec<String> = report.tampering.iter().map(in_words).collect();
        format!("The trail is not as the gateway wrote it:\n  {}", found.join("\n  "))
    };
    format!("{told}\nKeep this elsewhere; next time it proves more, as --head: {number}:{link}")
}

fn report_json(report: &TrailReport) -> Value {
    let found: Vec<String> = report.tampering.iter().map(in_words).collect();
    object!({
        "whole": found.is_empty(),
        "records": report.head.number,
        "delivered": report.delivered,
        "head": format!("{}:{}", report.head.number, report.head.link),
        "found": found,
    })
}

fn in_words(tampering: &Tampering) -> String {
    match tampering {
        Tampering::Gap(number) => format!("records are missing before record {number}"),
        Tampering::Changed(number) => format!("record {number}, or one before it, was changed or moved"),
        Tampering::ContentChanged(number) => format!("the protected part of record {number} was changed"),
        Tampering::CutOff => "records were removed from the end".to_owned(),
        Tampering::HeadNotFound(number) => format!("record {number} is not what was noted down before"),
        Tampering::NoDisclosure(id) => format!("{id} went out, and no record says what was sent"),
        Tampering::NoDecision(id) => format!("{id} went out without a decision that allowed it"),
    }
}

fn as_line(record: &AuditRecord) -> String {
    let AuditRecord { number, record } = record;
    let delivery = record.delivery.map_or_else(|| "-".to_owned(), |it| it.to_string());
    format!(
        "{number:>8}  {}  {:<16}  {:<6}  {:<28}  {delivery}",
        record.at,
        record.kind.word(),
        record.outcome,
        record.rule
    )
}

fn as_json(record: &AuditRecord) -> Value {
    let AuditRecord { number, record } = record;
    object!({
        "number": number,
        "id": record.id.to_string(),
        "at": record.at.to_string(),
        "kind": record.kind.word(),
        "outcome": record.outcome,
        "rule": record.rule,
        "delivery": record.delivery.map(|it| it.to_string()),
        "sent_sha256": record.sent_sha256,
    })
}

fn kind(word: &str) -> Result<AuditKind, String> {
    AuditKind::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = AuditKind::ALL.iter().map(|it| it.word()).collect();
        format!("use one of {}", words.join(", "))
    })
}

fn head(text: &str) -> Result<TrailHead, String> {
    let parts = text.split_once(':').and_then(|(number, link)| Some((number.parse().ok()?, link)));
    let (number, link) = parts.ok_or("use NUMBER:LINK, as `audit verify` prints it")?;
    Ok(TrailHead { number, link: link.to_owned() })
}
