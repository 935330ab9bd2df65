//! The question: may this go there, now?

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::ids::PartnerId;
use crate::model::policy::DefaultPolicy;
use crate::model::update::ResourceVersion;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct Disclosure<'a> {
    /// The resource version that would be sent.
    pub version: ResourceVersion,
    /// Its content, and that of everything that would travel with it.
    pub resources: &'a [Value],
    /// Whose it is.
    pub patient: &'a PatientAtClinic,
    /// Who would receive it.
    pub recipient: PartnerId,
    /// Why, as a code of v3-ActReason.
    pub purpose: &'a str,
    /// Every Consent that the clinic has for the patient.
    pub consents: &'a [Value],
    /// Whether the Consents could be read.
    pub source: Source,
    /// What the clinic decided for the case that no Consent speaks.
    pub default: &'a DefaultPolicy,
    /// The present instant.
    pub now: Timestamp,
    /// The clinic's time zone, in which dates without a time are meant.
    pub time_zone: &'a TimeZone,
}

/// The patient of a referral, as the clinic's server names it.
#[derive(Clone, Debug)]
pub struct PatientAtClinic {
    /// `Patient/9`.
    pub reference: String,
    /// The clinic's FHIR base address, without a slash at its end.
    pub base: String,
    /// Its business identifiers, as (system, value).
    pub identifiers: Vec<(String, String)>,
}

/// Whether the Consents could be read, all of them and just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// They were.
    Read,
    /// They were not, or not all.
    Unavailable,
}
