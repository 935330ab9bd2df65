//! The question: may this go there, now?

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::labels::lists::SensitivityLists;
use super::purpose::ACT_REASON;
use crate::model::ids::PartnerId;
use crate::model::policy::DefaultPolicy;
use crate::model::update::ResourceVersion;

/// Everything that a decision may depend on (consent S1).
#[derive(Clone, Debug)]
pub struct Disclosure<'a> {
    /// The resource version that would be sent.
    pub version: ResourceVersion,
    /// Its content first, and behind it everything that would travel with it.
    pub resources: &'a [Value],
    /// Whose it is.
    pub patient: &'a PatientAtClinic,
    /// Whose endpoint would receive it. The Permit is bound to it.
    pub recipient: PartnerId,
    /// Who that is in the words of a Consent.
    pub receiver: &'a Receiver,
    /// Why.
    pub purpose: &'a Purpose,
    /// What would be done: a code of consentaction. Sending is [`DISCLOSE`].
    pub action: &'a str,
    /// Every Consent that the clinic has for the patient, whatever its status.
    pub consents: &'a [Value],
    /// Whether the Consents could be read.
    pub source: Source,
    /// Whether labels could be computed.
    pub labelling: Labelling,
    /// Organisations, roles, groups, care teams and whatever else a Consent may refer to.
    pub directory: &'a [Value],
    /// What the clinic decided once for all disclosures.
    pub clinic: &'a ClinicRules,
    /// The present instant.
    pub now: Timestamp,
}

/// The action of sending (FHIR R4, consentaction).
pub const DISCLOSE: &str = "disclose";

/// What the clinic decided once for all disclosures.
#[derive(Clone, Debug)]
pub struct ClinicRules {
    /// The clinic's FHIR base address, without a slash at its end.
    pub base: String,
    /// The clinic itself.
    pub custodian: Party,
    /// Others whose Consents may permit in the clinic's name.
    pub trusted_custodians: Vec<Party>,
    /// Label systems that the clinic applies to everything it labels.
    pub known_label_systems: Vec<String>,
    /// How old the Consents may be at the moment of deciding.
    pub max_staleness: Duration,
    /// What counts where no Consent speaks.
    pub default: DefaultPolicy,
    /// The zone in which dates without a time are meant.
    pub time_zone: TimeZone,
    /// Which codes are sensitive.
    pub lists: SensitivityLists,
}

/// The patient of a referral, as the clinic's server names it.
#[derive(Clone, Debug, Default)]
pub struct PatientAtClinic {
    /// `Patient/9`.
    pub reference: String,
    /// Its business identifiers, as (system, value).
    pub identifiers: Vec<(String, String)>,
    /// Records that were merged into it: `Patient/8`.
    pub aliases: Vec<String>,
}

/// Somebody, by a literal reference, by business identifiers, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// `Organization/3` on the clinic's server, or a complete address elsewhere.
    pub reference: Option<String>,
    /// Business identifiers, as (system, value).
    pub identifiers: Vec<(String, String)>,
}

impl Party {
    /// Somebody of whom one business identifier is known.
    pub fn identified(system: impl Into<String>, value: impl Into<String>) -> Self {
        Self { reference: None, identifiers: vec![(system.into(), value.into())] }
    }

    /// Whether nothing names it.
    pub const fn is_nobody(&self) -> bool {
        self.reference.is_none() && self.identifiers.is_empty()
    }
}

/// Who would receive it.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// The organisation whose endpoint it is.
    pub organization: Party,
    /// The person to whom it is addressed there, if it is.
    pub practitioner: Option<Party>,
    /// The role in which that person receives it.
    pub practitioner_role: Option<Party>,
}

impl Receiver {
    /// An organisation as a whole.
    pub const fn organization(organization: Party) -> Self {
        Self { organization, practitioner: None, practitioner_role: None }
    }

    /// Whether it is addressed to a person.
    pub const fn is_personal(&self) -> bool {
        self.practitioner.is_some() || self.practitioner_role.is_some()
    }
}

/// Why something would be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purpose {
    /// The code system; of v3-ActReason in almost every case.
    pub system: String,
    /// The code; empty where no purpose was stated.
    pub code: String,
}

impl Purpose {
    /// A purpose of v3-ActReason, such as `TREAT`.
    pub fn reason(code: impl Into<String>) -> Self {
        Self { system: ACT_REASON.to_owned(), code: code.into() }
    }
}

/// Whether the Consents could be read, all of them (consent S9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// All pages were, this long ago.
    Read {
        /// Their age.
        age: Duration,
    },
    /// They were not, or not all.
    Unavailable,
}

impl Source {
    /// They were read just now.
    pub const READ_NOW: Self = Self::Read { age: Duration::ZERO };
}

/// Whether labels could be computed (consent S9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelling {
    /// They could.
    Works,
    /// They could not.
    Down,
}
