//! `preview`: what each step of the road makes of a message. Nothing is written.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json as object};

use super::settings::{self, SettingsFolder};
use super::{EXIT_CONFIG, fail, say};
use crate::app::profiles;
use crate::config::settings::Config;
use crate::fhir::json;
use crate::fhir::outcome::{Explain, operation_outcome};
use crate::inbound::record::Recorded;
use crate::inbound::{House, InboundError, open, receipt, translate, validate};
use crate::model::clock::{Clock, SystemClock};
use crate::model::envelope::Envelope;
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::partner::Partner;
use crate::model::referral::Referral;
use crate::model::sensitive::Sensitive;

/// Show what each step of the road makes of a message.
#[derive(Args, Debug)]
pub struct Preview {
    /// The message: a transaction Bundle or a ServiceRequest, as JSON.
    file: PathBuf,
    /// The partner that would send it.
    #[arg(long, value_name = "ID")]
    partner: String,
    #[command(flatten)]
    settings: SettingsFolder,
    /// Write one JSON object.
    #[arg(long)]
    json: bool,
}

/// What the road makes of a message, step by step.
struct Steps {
    answer: Value,
    for_clinic: Value,
    codes: Vec<String>,
}

impl Preview {
    /// Exit code 0: the message would be taken. 1: it would be refused.
    pub fn run(self) -> ExitCode {
        let loaded = self.settings.load();
        let Some(config) = loaded.config else {
            settings::show(&loaded.problems);
            return ExitCode::from(EXIT_CONFIG);
        };
        let id = PartnerId::new(&self.partner);
        let Some(partner) = config.partners.iter().find(|it| it.id == id) else {
            settings::show(&loaded.problems);
            return fail(&format!("no partner `{id}` is configured without mistakes"));
        };
        let body = match fs::read(&self.file) {
            Ok(body) => body,
            Err(error) => return fail(&format!("{} cannot be read: {error}", self.file.display())),
        };
        let house = match house(&config) {
            Ok(house) => house,
            Err(error) => return fail(&error.to_string()),
        };
        self.report(walk(&house, partner, body, SystemClock.now()))
    }

    fn report(&self, walked: Result<Steps, InboundError>) -> ExitCode {
        match walked {
            Ok(steps) if self.json => {
                let steps = object!({
                    "accepted": true, "answer": steps.answer, "codes": steps.codes, "forClinic": steps.for_clinic,
                });
                say(&steps.to_string());
                ExitCode::SUCCESS
            }
            Ok(steps) => {
                say("open       the body is one FHIR message");
                say("validate   no issues");
                say(&format!("answer     {}", pretty(&steps.answer)));
                for code in &steps.codes {
                    say(&format!("code       {code}"));
                }
                say(&format!("translate  for the clinic: {}", pretty(&steps.for_clinic)));
                ExitCode::SUCCESS
            }
            Err(error) if self.json => {
                let outcome = operation_outcome(&error.issues(), None);
                say(&object!({ "accepted": false, "outcome": outcome }).to_string());
                ExitCode::FAILURE
            }
            Err(error) => {
                say(&format!("refused    {error}"));
                for issue in error.issues() {
                    say(&format!("  {:<26} {}  {}", issue.code, issue.expression.join(", "), issue.text));
                }
                ExitCode::FAILURE
            }
        }
    }
}

fn walk(house: &House, partner: &Partner, body: Vec<u8>, now: Timestamp) -> Result<Steps, InboundError> {
    let envelope = Envelope {
        door: open::door_for(&json::parse(&body).unwrap_or_default(), partner.fhir_version),
        partner: partner.id.clone(),
        body: Sensitive::new(body),
        received: now,
        idempotency_key: None,
        request_id: None,
        if_none_exist: None,
        gathered: None,
    };
    let opened = open::message(&envelope, partner.fhir_version)?;
    validate::message(&opened, &envelope, house, partner)?;
    let message = opened.message();
    let referral = Referral::new(ReferralId::new(now), partner.id.clone(), now);
    let for_clinic = translate::for_clinic(message, &referral, house, partner)?;
    let recorded = Recorded { referral, repeated: false, message: None };
    let receipt = receipt::of(&recorded, message, house, partner)?;
    Ok(Steps {
        answer: receipt.transaction_response.unwrap_or(receipt.task),
        codes: for_clinic.codes.iter().map(ToString::to_string).collect(),
        for_clinic: for_clinic.bundle,
    })
}

fn house(config: &Config) -> Result<House, profiles::ProfileError> {
    let profiles = profiles::load(config.profiles_directory.as_deref())?;
    Ok(House {
        public_url: config.server.address(""),
        clinic_name: config.clinic.name.clone(),
        clinic: config.clinic.organization.clone(),
        dialects: profiles.dialects,
        profiles: profiles.library,
        time_zone: config.clinic.time_zone.clone(),
        writes: config.clinic.endpoint.writes,
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
