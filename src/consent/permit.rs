//! A yes is a value.

use crate::model::ids::PartnerId;
use crate::model::update::{DecisionNote, ResourceVersion};

/// Proof that one resource version may go to one partner, now. Only this folder can make one, and whoever
/// reduces, translates or sends towards a partner must show it:
///
/// ```compile_fail,E0451
/// use referral_gateway::consent::permit::Permit;
/// use referral_gateway::model::{ids::PartnerId, update::{DecisionNote, ResourceVersion}};
///
/// fn forge(resource: ResourceVersion, recipient: PartnerId, note: DecisionNote) -> Permit {
///     Permit { resource, recipient, note }
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
}

impl Permit {
    pub(super) const fn new(resource: ResourceVersion, recipient: PartnerId, note: DecisionNote) -> Self {
        Self { resource, recipient, note }
    }

    /// Whether it is about this resource version and this recipient.
    pub fn covers(&self, resource: &ResourceVersion, recipient: &PartnerId) -> bool {
        self.resource == *resource && self.recipient == *recipient
    }

    /// What was decided and why, for the record.
    pub const fn note(&self) -> &DecisionNote {
        &self.note
    }
}

/// The answer to one question.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// Send it.
    Permit(Permit),
    /// Do not send it now; keep it, and ask again when something changes.
    Hold(Refusal),
    /// Do not send it; ask again only when something changes.
    Deny(Refusal),
}

/// Why not. The difference between a hold and a denial is for the clinic alone: nobody outside may tell
/// them apart (consent S11).
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was decided and why, for the record.
    pub note: DecisionNote,
}
