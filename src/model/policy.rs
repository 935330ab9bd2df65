//! What the clinic decided for the case that no Consent speaks.

/// The clinic's default, used only where no Consent answers (reference: consent S4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultPolicy {
    /// What to do with a request that the default covers.
    pub decision: DefaultDecision,
    /// Codes of v3-ActReason that the default covers, narrower purposes included; none means any.
    pub purposes: Option<Vec<String>>,
    /// The highest confidentiality that the default releases.
    pub max_confidentiality: Confidentiality,
    /// Codes of v3-ActCode that no default and no general consent releases: a Consent must name them.
    pub explicit_consent_sensitivity: Vec<String>,
}

/// What a default decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultDecision {
    /// Send.
    Permit,
    /// Do not send, and keep it until something changes.
    Hold,
    /// Do not send.
    Deny,
}

/// v3-Confidentiality, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidentiality {
    /// U.
    Unrestricted,
    /// L.
    Low,
    /// M.
    Moderate,
    /// N.
    Normal,
    /// R.
    Restricted,
    /// V.
    VeryRestricted,
}

impl Confidentiality {
    /// The level of a code of v3-Confidentiality.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "U" => Self::Unrestricted,
            "L" => Self::Low,
            "M" => Self::Moderate,
            "N" => Self::Normal,
            "R" => Self::Restricted,
            "V" => Self::VeryRestricted,
            _ => return None,
        })
    }
}
