//! A bare Task, or an order that refers to its sender's server, becomes a whole submission: what it names is contained in
//! it, or read from that server and from nowhere else. Nothing is recorded meanwhile, and nothing is held in the ledger.
//!
//! Source: FHIR Clinical Order Workflows, "Task at fulfiller"; Gravity SDOH Clinical Care, "direct" referrals.

mod draft;
mod home;
mod pull;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::{Inbound, InboundError, Intake, record};
use crate::fhir::client::FhirClient;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::{json, resource};
use crate::model::client::CallLimit;
use crate::model::envelope::{Door, Envelope, Gathered};
use crate::model::ids::{PartnerId, ReferralId};
use crate::model::partner::Partner;
use crate::model::referral::{Acceptance, NewReferral, Referral};
use crate::model::sensitive::Sensitive;
use draft::{Draft, is_order};
use home::Home;
use pull::Pull;

/// How far references are followed from the order and its Task: to what these name, and to what that names.
const STEPS: usize = 2;

/// The servers of those who send Tasks, and how much may be read there for one.
pub struct Sources {
    /// Each partner's own server, where it has one.
    pub servers: BTreeMap<PartnerId, Source>,
    /// Each resource that is read counts as a call of the partner.
    pub calls: Arc<dyn CallLimit>,
    /// The most resources that are read for one Task.
    pub most_resources: usize,
    /// The most bytes of them together.
    pub most_bytes: usize,
    /// The longest that it may take.
    pub patience: Duration,
}

/// One partner's own server.
pub struct Source {
    /// The way there.
    pub server: FhirClient,
    /// For how many Tasks it is read at the same time.
    pub room: Arc<Semaphore>,
}

/// Why a Task could not be made whole. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatherFault {
    /// Something stands where we do not read.
    #[error("a reference to another server at {0}")]
    Origin(String),
    /// The sender's server does not have it.
    #[error("the sender's server does not have what is named at {0}")]
    NotFound(String),
    /// The sender's server does not let us read it.
    #[error("the sender's server refuses what is named at {0}")]
    Refused(String),
    /// There is too much of it.
    #[error("too much is named at {0}")]
    TooMuch(String),
    /// The Task names no order.
    #[error("the task names no order")]
    NoOrder,
    /// The sender's server does not answer usefully.
    #[error("the sender's server: {what}")]
    Unavailable {
        /// A code of ours.
        what: &'static str,
        /// How long the server asks us to wait.
        wait: Option<Duration>,
    },
    /// The sender has used up its calls; until the next it must wait so long.
    #[error("the sender calls too often")]
    TooOften(Duration),
    /// Its server is being read for as many Tasks as may be.
    #[error("too many tasks of this sender are being read")]
    Busy,
}

/// What there is to do with what was sent.
#[derive(Debug)]
pub enum Gathering {
    /// It is to be taken in.
    Whole(Box<Envelope>),
    /// It is known. Nothing was read for it, so the answer does not depend on the sender's server.
    Known(Referral),
}

impl Inbound {
    /// Makes what [`lacks`](Self::lacks) something whole.
    pub async fn gather(
        &self,
        partner: &Partner,
        envelope: Envelope,
        (sent, intake): (Value, Intake),
    ) -> Result<Gathering, InboundError> {
        let canonical = resource::canonical(&sent);
        if let Some(known) = self.known(&envelope, &canonical).await? {
            return Ok(Gathering::Known(known));
        }
        if intake == Intake::RepeatsOnly {
            return Err(InboundError::Shut);
        }
        self.complete(partner, envelope, sent).await.map(Gathering::Whole)
    }

    /// The same without a look at what is known, for a dry run.
    pub async fn gather_anew(&self, partner: &Partner, envelope: Envelope) -> Result<Envelope, InboundError> {
        match self.lacks(partner, &envelope)? {
            Some(sent) => self.complete(partner, envelope, sent).await.map(|it| *it),
            None => Ok(envelope),
        }
    }

    /// What was sent, where something may have to be read for it: for every Task, and for an order that refers to
    /// its sender's server. Whatever else was sent is whole.
    pub fn lacks(&self, partner: &Partner, envelope: &Envelope) -> Result<Option<Value>, InboundError> {
        if !matches!(envelope.door, Door::Task | Door::ServiceRequest) {
            return Ok(None);
        }
        let sent = json::parse(envelope.body.reveal())?;
        if envelope.door == Door::Task {
            let is_task = resource::resource_type(&sent) == "Task";
            return if is_task { Ok(Some(sent)) } else { Err(InboundError::WrongDoor(Door::Task)) };
        }
        let Some(source) = self.sources.servers.get(&partner.id).filter(|_| is_order(&sent)) else {
            return Ok(None);
        };
        let draft = Draft::of(sent.clone(), Home::at(source.server.base()));
        Ok(draft.lacks_something().then_some(sent))
    }

    async fn complete(
        &self,
        partner: &Partner,
        envelope: Envelope,
        sent: Value,
    ) -> Result<Box<Envelope>, InboundError> {
        let canonical = resource::canonical(&sent);
        let draft = self.whole(partner, sent).await?;
        let (message, places) = draft.into_collection();
        Ok(Box::new(Envelope {
            body: Sensitive::new(message.to_string().into_bytes()),
            gathered: Some(Gathered { sent: Sensitive::new(canonical), places }),
            ..envelope
        }))
    }

    async fn known(&self, envelope: &Envelope, sent: &[u8]) -> Result<Option<Referral>, InboundError> {
        let probe = NewReferral {
            id: ReferralId::new(envelope.received),
            partner: envelope.partner.clone(),
            keys: vec![record::sent(sent)],
            found_by: Vec::new(),
            body: Sensitive::new(Vec::new()),
            canonical: Sensitive::new(Vec::new()),
            received: envelope.received,
        };
        match self.store.known(probe).await? {
            Some(Acceptance::Repeated(id)) => Ok(self.store.referral(id).await?),
            _ => Ok(None),
        }
    }

    async fn whole(&self, partner: &Partner, sent: Value) -> Result<Draft, GatherFault> {
        let source = self.sources.servers.get(&partner.id);
        let home = source.map(|it| Home::at(it.server.base())).unwrap_or_default();
        let draft = Draft::of(sent, home);
        let Some(source) = source else {
            return draft.without_server();
        };
        let _room = source.room.try_acquire().map_err(|_| GatherFault::Busy)?;
        let pull = Pull::new(&self.sources, &source.server, &partner.client.client_id);
        let complete = tokio::time::timeout(self.sources.patience, pull.complete(draft)).await;
        complete.unwrap_or(Err(GatherFault::Unavailable { what: "took-too-long", wait: None }))
    }
}

impl GatherFault {
    /// What the sender is told.
    pub(super) fn issue(&self) -> Issue {
        match self {
            Self::Origin(at) => {
                let text = "Refer to your own registered FHIR server, or contain what is referred to: nothing is read \
                            from elsewhere.";
                Issue::error(IssueKind::Value, "SEND_REFERENCE_ORIGIN", text).at(at)
            }
            Self::NotFound(at) => {
                let text = "Refer to something that is on your server: it says that there is nothing.";
                Issue::error(IssueKind::NotFound, "SEND_REFERENCE_NOT_FOUND", text).at(at)
            }
            Self::Refused(at) => {
                let text =
                    "Let this gateway read what is referred to, or contain it: your server refuses it.";
                Issue::error(IssueKind::Forbidden, "SEND_REFERENCE_REFUSED", text).at(at)
            }
            Self::TooMuch(at) => {
                let text = "Refer to less: what the Task names, and what that names, is too much to be read.";
                Issue::error(IssueKind::TooLong, "SEND_REFERENCES_TOO_MUCH", text).at(at)
            }
            Self::NoOrder => {
                let text = "Name the ServiceRequest that the referral is in `focus` or `basedOn`.";
                Issue::error(IssueKind::Required, "SEND_SERVICE_REQUEST_MISSING", text).at("Task.focus")
            }
            Self::Unavailable { .. } => {
                let text = "Nothing was recorded, because your server did not give what the Task names. Send the same \
                            again later.";
                Issue::error(IssueKind::Transient, "SEND_SERVER_UNAVAILABLE", text)
            }
            Self::TooOften(_) => {
                let text = "You call more often than was agreed; what is read from your server counts as well. Nothing \
                            was recorded; `Retry-After` says how long to wait.";
                Issue::error(IssueKind::Throttled, "SEND_TOO_OFTEN", text)
            }
            Self::Busy => {
                let text = "Nothing was recorded, because your server is being read for other Tasks. Send the same again \
                            later.";
                Issue::error(IssueKind::Throttled, "GW_BUSY", text)
            }
        }
    }
}
