//! `partners/<id>.toml`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::auth::Auth;
use super::client::{Client, Organization};
use super::effects::{Effects, VerifyUnique};

/// Settings of one partner.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "partners/<id>.toml")]
pub(crate) struct Partner {
    /// a-z, 0-9 and hyphens, at most 64; the same as the file's name.
    #[schemars(required)]
    pub(crate) id: Option<String>,
    /// The name that people know it by.
    #[schemars(required, length(min = 1))]
    pub(crate) name: Option<String>,
    /// What it is, for people, such as `primary-care`.
    #[expect(dead_code, reason = "for people who read the file; nothing depends on it")]
    pub(crate) kind: Option<String>,
    /// The FHIR version that it speaks; inside everything is 4.0.
    pub(crate) fhir_version: Option<FhirVersion>,
    /// The guide that it follows; left out: plain.
    pub(crate) dialect: Option<Dialect>,
    /// Its business identifier; consent and Provenance name it.
    #[schemars(required)]
    pub(crate) organization: Option<Organization>,
    /// The profiles that what it sends must meet, by their canonical addresses; of several of one resource type, one.
    pub(crate) profiles: Option<Vec<String>>,
    /// How it proves who it is when it calls us.
    #[schemars(required)]
    pub(crate) inbound: Option<Client>,
    /// How updates go back.
    #[schemars(required)]
    pub(crate) outbound: Option<Outbound>,
}

/// How updates go back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outbound {
    /// The way that updates take.
    #[schemars(required)]
    pub(crate) mode: Option<Mode>,
    /// The base address of its FHIR server; needed for the modes rest and message.
    pub(crate) base_url: Option<String>,
    /// The only issuers whose certificates its server may show, PEM; left out: those that this machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// What may go back at all; consent is asked besides.
    #[schemars(required)]
    pub(crate) share: Option<Vec<Share>>,
    /// The longest that one request to it may take, in seconds; left out: 30.
    #[schemars(range(min = 1, max = 600))]
    pub(crate) timeout_s: Option<u64>,
    /// How what we write there is written once; left out: auto.
    pub(crate) effects: Option<Effects>,
    /// When we look for a second one of what must be one; left out: after-unknown.
    pub(crate) verify_unique: Option<VerifyUnique>,
    /// How many attempts run at its server at the same time; left out: delivery.attempts_per_endpoint.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) attempts_at_once: Option<u32>,
    /// How many attempts begin there in a second, 0 for no limit; left out: delivery.attempts_per_second.
    #[schemars(range(max = 10_000))]
    pub(crate) attempts_per_second: Option<u32>,
    /// How we prove who we are at its server; left out: none.
    pub(crate) auth: Option<Auth>,
}

/// FHIR versions.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum FhirVersion {
    /// STU3.
    #[serde(rename = "3.0")]
    Stu3,
    /// R4.
    #[serde(rename = "4.0")]
    R4,
    /// R4B.
    #[serde(rename = "4.3")]
    R4b,
    /// R5.
    #[serde(rename = "5.0")]
    R5,
}

/// The guides that partners follow.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialect {
    /// FHIR R4 as it is.
    Plain,
    /// HL7 Clinical Order Workflows.
    Cow,
    /// Bi-directional services e-referral.
    Bser,
    /// SDOH Clinical Care.
    Sdoh,
    /// NHS Booking and Referral Standard.
    Bars,
}

/// The ways that updates take.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// We write to its FHIR server.
    Rest,
    /// We send FHIR messages to its `$process-message`.
    Message,
    /// It reads them from us.
    Inbox,
}

/// Kinds of updates.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Share {
    /// Where the referral stands.
    ReferralStatus,
    /// Appointments.
    Scheduling,
    /// Communications.
    Communication,
    /// Visit summaries.
    VisitSummary,
    /// Diagnostic reports with their observations.
    Results,
    /// Care plans.
    CarePlan,
}
