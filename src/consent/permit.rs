//! A yes is a value.

use crate::model::ids::PartnerId;
use crate::model::update::{DecisionNote, ResourceVersion};

use super::payload::node::Place;

/// Proof that one resource version may go to one partner, now. Only this folder can make one, and whoever
/// reduces, translates or sends towards a partner must show it:
///
/// ```compile_fail,E0451
/// use referral_gateway::consent::permit::{Obligation, Permit};
/// use referral_gateway::consent::payload::node::Place;
/// use referral_gateway::model::{ids::PartnerId, update::{DecisionNote, ResourceVersion}};
///
/// fn forge(resource: ResourceVersion, recipient: PartnerId, note: DecisionNote) -> Permit {
///     Permit { resource, recipient, note, removals: vec![], obligations: vec![] }
/// }
/// ```
///
/// It is good for one attempt. It is neither stored nor copied: a retry asks again.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    resource: ResourceVersion,
    recipient: PartnerId,
    note: DecisionNote,
    removals: Vec<Place>,
    obligations: Vec<Obligation>,
}

impl Permit {
    pub(super) fn new(
        resource: ResourceVersion,
        recipient: PartnerId,
        note: DecisionNote,
        (removals, obligations): (Vec<Place>, Vec<Obligation>),
    ) -> Self {
        Self { resource, recipient, note, removals, obligations }
    }

    /// Whether it is about this resource version and this recipient.
    pub fn covers(&self, resource: &ResourceVersion, recipient: &PartnerId) -> bool {
        self.resource == *resource && self.recipient == *recipient
    }

    /// What was decided and why, for the record.
    pub const fn note(&self) -> &DecisionNote {
        &self.note
    }

    /// What must be taken out before anything goes; [`reduce`](super::redact::reduce) does it. Empty: it may
    /// go as it is.
    pub fn removals(&self) -> &[Place] {
        &self.removals
    }

    /// What must go along. Who cannot send it along must not send (consent S8).
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }
}

/// What must go along with a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation {
    /// The notice of 42 CFR 2.32, and a copy of the Consent or a clear explanation of its scope.
    Part2Notice,
}

/// The answer to one question.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// Send it, without the Permit's removals.
    Permit(Permit),
    /// Do not send it now; keep it, and ask again when something changes.
    Hold(Refusal),
    /// Do not send it; ask again only when something changes.
    Deny(Refusal),
}

impl Decision {
    /// What was decided and why, for the record.
    pub const fn note(&self) -> &DecisionNote {
        match self {
            Self::Permit(permit) => permit.note(),
            Self::Hold(refusal) | Self::Deny(refusal) => &refusal.note,
        }
    }
}

/// Why not. The difference between a hold and a denial is for the clinic alone: nobody outside may tell
/// them apart (consent S11).
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was decided and why, for the record.
    pub note: DecisionNote,
}
