//! PARTNER → CLINIC. [`Inbound::accept`] is the road up to the answer; [`Inbound::forward`] is what the
//! worker does afterwards. They meet in the ledger, so a crash between them loses nothing.

pub mod edge;
pub mod gather;

pub mod open;

pub mod validate;

mod content;

mod error;

pub mod record;

pub mod receipt;

pub mod consent_faults;

pub mod translate;

pub mod forward;

mod find;

pub mod hosted;

pub mod reply;

pub use error::InboundError;

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::fhir::client::FhirClient;
use crate::fhir::message::ReplyTo;
use crate::fhir::outcome::Issue;
use crate::model::clock::Clock;
use crate::model::effects::WriteRules;
use crate::model::envelope::Envelope;
use crate::model::looks::LookObserver;
use crate::model::partner::{BusinessIdentifier, Partner, Partners};
use crate::store::Store;
use crate::translation::dialects::{Correlation, Dialects, DuplicateAnswer};
use crate::translation::submission::Submission;
use crate::validation::{self, ProfileLibrary};
use gather::Sources;
use receipt::Receipt;

/// What the road needs, and nothing else.
#[derive(Clone)]
pub struct Inbound {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The clinic's FHIR server.
    pub clinic: FhirClient,
    /// The servers of partners that send Tasks.
    pub sources: Arc<Sources>,
    /// Every partner.
    pub partners: Arc<Partners>,
    /// Whom we are and for whom.
    pub house: Arc<House>,
    /// Told of looks for what an earlier attempt may have left.
    pub looks: Arc<dyn LookObserver>,
}

/// Who the clinic is, how we are reached, and how its codes are made.
#[derive(Clone, Debug)]
pub struct House {
    /// Our public address, without a slash at its end.
    pub public_url: String,
    /// The clinic's name.
    pub clinic_name: String,
    /// The clinic's business identifier.
    pub clinic: BusinessIdentifier,
    /// The guides that partners follow, and their codes in the clinic's.
    pub dialects: Dialects,
    /// What partners' resources must meet.
    pub profiles: ProfileLibrary,
    /// The clinic's zone, in which dates without a time are meant.
    pub time_zone: TimeZone,
    /// How what we write at the clinic is written once.
    pub writes: WriteRules,
}

impl Inbound {
    /// Takes one submission in, which was [gathered](Self::gather). Once this has answered, the referral exists whatever happens next; the same
    /// submission again gets the same receipt again.
    pub async fn accept(
        &self,
        partner: &Partner,
        envelope: Envelope,
        intake: Intake,
    ) -> Result<Receipt, InboundError> {
        let opened = open::message(&envelope, partner.fhir_version)?;
        validate::message(&opened, &envelope, &self.house, partner)?;
        let rules = &self.house.dialects.of(partner.dialect)?.rules;
        let spoken = (&**rules, partner.fhir_version);
        let recorded = record::referral(self, &envelope, &opened, spoken, intake).await?;
        let (referral, repeated) = (&recorded.referral, recorded.repeated);
        tracing::info!(referral.id = %referral.id, partner.id = %partner.id, repeated, "referral accepted");
        if repeated && rules.duplicates.answer == DuplicateAnswer::Conflict {
            return Err(InboundError::Known);
        }
        receipt::of(&recorded, opened.message(), &self.house, partner)
    }

    /// The road up to the record, and no further: every issue that [`Inbound::accept`] would name, warnings included.
    pub fn check(&self, partner: &Partner, envelope: &Envelope) -> Result<Vec<Issue>, InboundError> {
        let opened = open::message(envelope, partner.fhir_version)?;
        let issues = validate::violations(&opened, envelope, &self.house, partner)?;
        if !issues.is_empty() {
            return Ok(issues);
        }
        let warnings = consent_faults::warnings(&Submission::of(opened.message()), &self.house.time_zone);
        Ok(opened.as_sent(warnings))
    }
}

impl House {
    /// Which of a message's ids a reply to this partner quotes.
    pub fn quotes(&self, partner: &Partner) -> ReplyTo {
        match self.dialects.of(partner.dialect).map(|it| it.rules.correlation) {
            Ok(Correlation::BundleId) => ReplyTo::Bundle,
            _ => ReplyTo::MessageHeader,
        }
    }

    /// The code of the partner's guide for a refusal of this status and kind, as (system, code).
    pub fn guides_code(&self, partner: &Partner, status: u16, kind: &str) -> Option<(String, String)> {
        let rules = &self.dialects.of(partner.dialect).ok()?.rules;
        rules.error_code(status, kind).map(|(system, code)| (system.to_owned(), code.to_owned()))
    }
}

/// The events of messages that are taken, as `system|code`.
pub fn message_events() -> impl Iterator<Item = String> {
    validation::EVENTS.iter().map(|(system, code)| format!("{system}|{code}"))
}

/// What is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// New referrals and repeats.
    Open,
    /// Repeats alone: they cost one read.
    RepeatsOnly,
}
