//! PARTNER → CLINIC. [`Inbound::accept`] is the road up to the answer; [`Inbound::forward`] is what the
//! worker does afterwards. They meet in the ledger, so a crash between them loses nothing.

pub mod edge;
pub mod gather;

pub mod open;

pub mod validate;

mod content;

pub mod record;

pub mod receipt;

pub mod consent_faults;

pub mod translate;

pub mod forward;

mod find;

pub mod hosted;

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::fhir::client::FhirClient;
use crate::fhir::json::JsonError;
use crate::fhir::outcome::{Explain, Issue, IssueKind};
use crate::model::clock::Clock;
use crate::model::effects::WriteRules;
use crate::model::envelope::{Door, Envelope};
use crate::model::looks::LookObserver;
use crate::model::partner::{BusinessIdentifier, Partner, Partners};
use crate::model::work::StoreError;
use crate::store::Store;
use crate::translation::dialects::{DialectBroken, Dialects};
use crate::translation::submission::Submission;
use crate::validation::{self, ProfileFault, ProfileLibrary};
use gather::{GatherFault, Sources};
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
        let recorded = record::referral(self, &envelope, &opened, partner.fhir_version, intake).await?;
        let (referral, repeated) = (&recorded.referral, recorded.repeated);
        tracing::info!(referral.id = %referral.id, partner.id = %partner.id, repeated, "referral accepted");
        receipt::of(&recorded, opened.message(), &self.house, partner)
    }

    /// The road up to the record, and no further: every issue that [`Inbound::accept`] would name, warnings included.
    pub fn check(&self, partner: &Partner, envelope: &Envelope) -> Result<Vec<Issue>, InboundError> {
        let opened = open::message(envelope, partner.fhir_version)?;
        let issues = validate::violations(&opened, envelope.door, &self.house, partner)?;
        if !issues.is_empty() {
            return Ok(issues);
        }
        let warnings = consent_faults::warnings(&Submission::of(opened.message()), &self.house.time_zone);
        Ok(opened.as_sent(warnings))
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

/// Why a referral did not get in. What is shown here goes to our log and holds no value from a resource.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The body is not JSON that we take.
    #[error("the body {0}")]
    NotJson(#[from] JsonError),
    /// The message is not what its door takes.
    #[error("not what {0:?} takes")]
    WrongDoor(Door),
    /// The message breaks a rule.
    #[error("{} issues", .0.len())]
    Invalid(Vec<Issue>),
    /// A Task could not be made whole. Nothing was recorded.
    #[error(transparent)]
    Gather(#[from] GatherFault),
    /// A profile that the partner's resources must meet cannot be used. Nothing was recorded.
    #[error("nothing of this partner can be checked: {0}")]
    Profile(#[from] ProfileFault),
    /// What belongs to the partner's dialect cannot be used. Nothing was recorded.
    #[error("nothing of this partner can be translated: {0}")]
    Dialect(#[from] DialectBroken),
    /// A key of the submission is taken by another content. Nothing was recorded.
    #[error("a key of the submission is taken by another content")]
    Conflict,
    /// No new ones are taken now. Nothing was recorded.
    #[error("no new referrals are taken now")]
    Shut,
    /// The ledger failed. Whether the referral was recorded may be unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The referral was recorded, and could not be read back.
    #[error("a recorded referral cannot be read back")]
    Lost,
}

impl Explain for InboundError {
    fn issues(&self) -> Vec<Issue> {
        match self {
            Self::NotJson(error) => vec![not_json(error)],
            Self::WrongDoor(door) => vec![wrong_door(*door)],
            Self::Invalid(issues) => issues.clone(),
            Self::Gather(fault) => vec![fault.issue()],
            Self::Conflict => vec![Issue::error(
                IssueKind::Duplicate,
                "SEND_DUPLICATE",
                "This identifier or idempotency key was used before with another content. Nothing was \
                 recorded; send a new referral under a new identifier, or the first one unchanged.",
            )],
            Self::Profile(_) => vec![Issue::error(
                IssueKind::Transient,
                "GW_PROFILE_BROKEN",
                "Nothing was recorded, because a profile of ours by which this is checked is broken. Send the same \
                 again later; nothing needs to be changed.",
            )],
            Self::Dialect(_) => vec![Issue::error(
                IssueKind::Transient,
                "GW_DIALECT_BROKEN",
                "Nothing was recorded, because a definition of ours by which this is translated is broken. Send the \
                 same again later; nothing needs to be changed.",
            )],
            Self::Shut => vec![Issue::error(
                IssueKind::Throttled,
                "GW_SHUT",
                "Nothing was recorded, because no new referrals are taken for now. Send the same again later.",
            )],
            Self::Store(StoreError::Busy) => vec![Issue::error(
                IssueKind::Throttled,
                "GW_BUSY",
                "Nothing was recorded, because too much is waiting. Send the same again later.",
            )],
            Self::Store(_) | Self::Lost => vec![Issue::error(
                IssueKind::Transient,
                "GW_STORE_UNAVAILABLE",
                "The ledger did not answer, so nothing is certain. Send the same again; nothing is recorded twice.",
            )],
        }
    }
}

fn not_json(error: &JsonError) -> Issue {
    let code = match error {
        JsonError::DuplicateKey { .. } => "SEND_JSON_DUPLICATE_KEY",
        JsonError::TooDeep => "SEND_JSON_TOO_DEEP",
        JsonError::Empty => "SEND_BODY_EMPTY",
        _ => "SEND_JSON_INVALID",
    };
    let text = format!("Send one FHIR resource as JSON (RFC 8259, UTF-8). The body {error}.");
    Issue::error(IssueKind::Structure, code, text)
}

fn wrong_door(door: Door) -> Issue {
    let text = match door {
        Door::Transaction => {
            "Send a Bundle of type transaction here. A single ServiceRequest goes to POST /fhir/ServiceRequest, a Task \
             to POST /fhir/Task."
        }
        Door::ServiceRequest => {
            "Send a ServiceRequest here, with what it refers to contained. A transaction goes to POST /fhir."
        }
        Door::Task => "Send a Task here whose `focus` or `basedOn` names the ServiceRequest.",
        Door::Message => "Send a Bundle of type message here. A transaction goes to POST /fhir.",
    };
    Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNEXPECTED", text)
}
