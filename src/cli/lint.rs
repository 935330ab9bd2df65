//! `consent lint`: what is wrong with a Consent, before it is signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json as object};

use super::{fail, say};
use crate::consent::lint::{Effect, Finding, Home, lint};
use crate::fhir::{bundle, json, resource};

/// Tell what is wrong with Consents.
#[derive(Debug, Args)]
pub struct Lint {
    /// Files of JSON, each a Consent or a Bundle with Consents.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The clinic's time zone, in which dates without a time are meant.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    /// One JSON object a line instead of text.
    #[arg(long)]
    json: bool,
}

impl Lint {
    /// Reports every finding.
    pub fn run(self) -> ExitCode {
        let Ok(zone) = TimeZone::get(&self.time_zone) else {
            return fail("--time-zone is no zone; write one such as Europe/Berlin");
        };
        let mut only_hold = false;
        for file in &self.files {
            let consents = match consents(file) {
                Ok(consents) => consents,
                Err(reason) => return fail(&format!("{}: {reason}", file.display())),
            };
            for (place, consent) in consents {
                let home = if place == "Consent" { Home::Server } else { Home::Bundle };
                for finding in lint(&consent, home, &zone) {
                    only_hold |= finding.effect == Effect::OnlyHolds;
                    say(&self.line(file, &place, &finding));
                }
            }
        }
        if only_hold { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn line(&self, file: &Path, place: &str, finding: &Finding) -> String {
        let Finding { element, rule, effect, fix } = finding;
        let element = element.replacen("Consent", place, 1);
        let file = file.display();
        if self.json {
            let file = file.to_string();
            object!({ "file": file, "element": element, "rule": rule, "effect": effect, "fix": fix })
                .to_string()
        } else {
            format!("{file}: {element}: {fix} ({rule})")
        }
    }
}

/// The Consents of a file, each with its place in it. What is neither a Consent nor a Bundle is judged too:
/// it is no Consent.
fn consents(file: &Path) -> Result<Vec<(String, Value)>, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let content = json::parse(&bytes).map_err(|error| format!("it {error}"))?;
    if resource::resource_type(&content) != "Bundle" {
        return Ok(vec![("Consent".to_owned(), content)]);
    }
    let entries = bundle::entries(&content).enumerate();
    let consents = entries.filter(|(_, it)| resource::resource_type(&it["resource"]) == "Consent");
    let found: Vec<_> = consents
        .map(|(index, it)| (format!("Bundle.entry[{index}].resource"), it["resource"].clone()))
        .collect();
    if found.is_empty() { Err("the Bundle has no Consent".to_owned()) } else { Ok(found) }
}
