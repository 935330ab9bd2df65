//! What a Consent answers, and how the answers of nested rules combine.

use serde::{Deserialize, Serialize};

use super::truth::Truth;
use crate::fhir::resource::element;

/// One Consent's answer about one resource, weakest first (consent S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Answer {
    /// It does not speak to this.
    #[serde(rename = "N")]
    Silent,
    /// A permit addresses this recipient and purpose but does not cover this data.
    #[serde(rename = "X")]
    NotCovered,
    /// It may be a permit.
    #[serde(rename = "HP")]
    MayPermit,
    /// It permits.
    #[serde(rename = "P")]
    Permit,
    /// It may be a deny.
    #[serde(rename = "HD")]
    MayDeny,
    /// It denies.
    #[serde(rename = "D")]
    Deny,
}

/// Which way a rule points. Always read from its `type`, never turned round by nesting (consent S5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `permit`: a criterion must certainly match.
    Permit,
    /// `deny`: a criterion matches on any reasonable reading.
    Deny,
}

impl Kind {
    /// Reads `provision.type`.
    pub fn of(provision: &serde_json::Value) -> Option<Self> {
        Self::of_code(element(provision, "type")?)
    }

    /// Reads its code.
    pub fn of_code(code: &serde_json::Value) -> Option<Self> {
        match code.as_str() {
            Some("permit") => Some(Self::Permit),
            Some("deny") => Some(Self::Deny),
            _ => None,
        }
    }

    /// What doubt is worth: a deny keeps it, a permit takes it as a no (consent S7, "deny U, permit F").
    pub const fn doubt(self) -> Truth {
        match self {
            Self::Permit => Truth::False,
            Self::Deny => Truth::Unknown,
        }
    }

    /// What a likely match is worth: a deny takes it, a permit is in doubt.
    pub const fn likely(self) -> Truth {
        match self {
            Self::Permit => Truth::Unknown,
            Self::Deny => Truth::True,
        }
    }
}

/// A rule's own answer, by whether the request and the data match (consent S5).
pub fn own(kind: Kind, request: Truth, data: Truth) -> Answer {
    match (kind, request, data) {
        (Kind::Permit, Truth::True, Truth::True) => Answer::Permit,
        (Kind::Permit, Truth::True, Truth::False) => Answer::NotCovered,
        (Kind::Permit, Truth::False, _) | (Kind::Permit, Truth::Unknown, Truth::False) => Answer::Silent,
        (Kind::Permit, _, _) => Answer::MayPermit,
        (Kind::Deny, _, _) => match request.and(data) {
            Truth::True => Answer::Deny,
            Truth::Unknown => Answer::MayDeny,
            Truth::False => Answer::Silent,
        },
    }
}

/// The strongest answer of a rule's children with the rule's own: the deepest that matches wins, and doubt
/// never weakens a deny (consent S5, the table).
pub const fn combine(children: Answer, own: Answer) -> Answer {
    use Answer::{Deny, MayDeny, MayPermit, NotCovered, Permit, Silent};
    match (children, own) {
        (Silent, own) => own,
        (Deny, _) | (MayDeny | NotCovered, Deny) => Deny,
        (Permit, _) | (MayPermit | NotCovered, Permit) => Permit,
        (MayDeny, _) | (MayPermit, Deny | MayDeny) | (NotCovered, MayDeny) => MayDeny,
        (MayPermit, _) | (NotCovered, MayPermit) => MayPermit,
        (NotCovered, NotCovered | Silent) => NotCovered,
    }
}
