//! `ledger`: copies of it, made beside a gateway that may be running.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::settings::SettingsFolder;
use super::{failed, say};
use crate::app::backup;
use crate::model::audit::TrailReport;

/// Copies of the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Copy the ledger as it is now into a new file, and prove that the copy could take its place. Exit code 0 or 1.
    Backup(Copy),
    /// Prove that a copy could take the ledger's place: it is whole, and the key fits. Exit code 0 or 1.
    Verify(Copy),
}

/// Which copy.
#[derive(Args, Debug)]
pub struct Copy {
    /// The file of the copy.
    file: PathBuf,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

impl LedgerCommand {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        // Either way an exit code; an early one has told its reason.
        self.answer().await.unwrap_or_else(|code| code)
    }

    async fn answer(self) -> Result<ExitCode, ExitCode> {
        let (copy, report) = match self {
            Self::Backup(copy) => {
                let report = backup::back_up(&copy.settings.config()?.store, &copy.file).await;
                (copy, report)
            }
            Self::Verify(copy) => {
                let report = backup::verify(&copy.settings.config()?.store, &copy.file).await;
                (copy, report)
            }
        };
        let report = report.map_err(failed)?;
        say(&if copy.json { as_json(&report).to_string() } else { in_words(&copy, &report) });
        Ok(if report.tampering.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn in_words(copy: &Copy, report: &TrailReport) -> String {
    let file = copy.file.display();
    let head = format!("{}:{}", report.head.number, report.head.link);
    if report.tampering.is_empty() {
        return format!("{file} is whole, and the key fits. Its audit trail goes up to {head}");
    }
    format!(
        "{file} is whole and the key fits, but its audit trail is not as the gateway wrote it: run \
         `referral-gateway audit verify` on the ledger that it was copied from"
    )
}

fn as_json(report: &TrailReport) -> serde_json::Value {
    json!({
        "whole": report.tampering.is_empty(),
        "delivered": report.delivered,
        "head": format!("{}:{}", report.head.number, report.head.link),
    })
}
