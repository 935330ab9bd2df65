//! Work that is owed, and how it ends.

use jiff::Timestamp;

use super::delivery::{Cause, Delivery, DeliveryState, RemoteResource};
use super::endpoint::{AttemptEnd, Change};
use super::referral::ClinicRecord;
use super::referral_state::ReferralState;
use super::sensitive::Sensitive;
use super::update::{DecisionNote, ResourceVersion};

/// The ledger could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or failed. A commit that failed may still have happened:
    /// nobody may claim that it did not.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The writer has more waiting than it may; nothing was recorded.
    #[error("the store has too much waiting")]
    Busy,
    /// What is stored cannot be read back: another key, or damage.
    #[error("the stored {what} of {id} cannot be read back")]
    Unreadable {
        /// The kind of thing.
        what: &'static str,
        /// What it is of, by our id.
        id: String,
    },
}

/// The right to work on one delivery until `until`. Settling needs its token, so that work whose
/// lease ran out cannot overwrite what its successor found.
#[derive(Clone, Debug)]
pub struct Lease {
    /// What to do.
    pub delivery: Delivery,
    /// The fencing token; each lease of a lane has a larger one.
    pub token: i64,
    /// When the right ends.
    pub until: Timestamp,
}

/// How one attempt ended.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// The referral stands at the clinic.
    Forwarded(ClinicRecord),
    /// What a partner sent about a referral stands at the clinic.
    Written {
        /// What the clinic's server calls it, `Communication/5`; none: nothing was left to be written.
        at_clinic: Option<String>,
        /// Something that people should know about it, as a code of ours.
        remark: Option<&'static str>,
    },
    /// The partner's server has it.
    Delivered {
        /// Where it stands there.
        remote: Option<RemoteResource>,
        /// What was sent, as the SHA-256 of its bytes.
        sent_sha256: String,
        /// The decision that allowed it.
        decision: DecisionNote,
        /// Something that people should know about it, as a code of ours.
        remark: Option<&'static str>,
        /// Where the referral stands by it, if it says so.
        told: Option<ReferralState>,
    },
    /// It waits for the partner to read it; consent is asked again then.
    InInbox(DecisionNote),
    /// Consent does not allow it now. Nothing was sent.
    Held {
        /// The decision.
        decision: DecisionNote,
        /// When to ask again without being told of a change.
        ask_again: Timestamp,
        /// On what the decision depended besides Consents; a change of it makes the update due. An empty
        /// version: it could not be read.
        depends_on: Vec<ResourceVersion>,
    },
    /// It failed in a way that time may mend.
    Retry {
        /// What happened.
        cause: Cause,
        /// When to try again.
        at: Timestamp,
        /// Whether it counts as a failure of the message. What is the server's matter does not.
        counted: bool,
        /// Where it stands, if it was taken and only the look is owed that there is one and not two.
        placed: Option<String>,
        /// Where the server tells what became of it.
        told_at: Option<Sensitive<String>>,
        /// Whether it may have taken effect all the same: then look before sending again.
        effect: Effect,
    },
    /// It cannot succeed without a person.
    Dead(Cause),
    /// Something is wrong that must not be guessed at, such as two matches for one effect.
    Quarantined(Cause),
    /// A newer version of the same resource takes its place.
    Superseded,
}

/// How one attempt ended: for the delivery, and for the server that it went to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What becomes of the delivery.
    pub settlement: Settlement,
    /// What it tells of the server.
    pub end: AttemptEnd,
    /// Between 0 and 1: what failed together does not come back together.
    pub random: f64,
}

impl Settlement {
    /// Where the server tells what became of it.
    pub const fn told_at(&self) -> Option<&Sensitive<String>> {
        match self {
            Self::Retry { told_at, .. } => told_at.as_ref(),
            _ => None,
        }
    }

    /// The state that it leads to.
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::Forwarded(_) | Self::Written { .. } | Self::Delivered { .. } => DeliveryState::Delivered,
            Self::InInbox(_) => DeliveryState::InInbox,
            Self::Held { .. } => DeliveryState::Held,
            Self::Retry { effect: Effect::None, .. } => DeliveryState::RetryWait,
            Self::Retry { effect: Effect::Unknown, .. } => DeliveryState::UnknownWait,
            Self::Dead(_) => DeliveryState::Dead,
            Self::Quarantined(_) => DeliveryState::Quarantined,
            Self::Superseded => DeliveryState::Superseded,
        }
    }
}

/// What a failed attempt may have done at the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: no byte arrived, or the other side refused.
    None,
    /// It may have happened.
    Unknown,
}

/// Whether a settlement counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is recorded; the server may stand otherwise now.
    Recorded(Option<Change>),
    /// The lease was no longer ours; somebody else's finding stands.
    Fenced,
}
