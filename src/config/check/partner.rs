//! `partners/<id>.toml`.

use std::time::Duration;

use super::network::Reach;
use super::{address, client, credentials, named_file, needed, organization};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::effects::Effects;
use crate::config::raw::partner::{self as raw, Mode};
use crate::model::client::ClientRole;
use crate::model::dialect::Dialect;
use crate::model::effects::WriteRules;
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::PartnerId;
use crate::model::partner::{Credentials, Endpoint, Outbound, OutboundMode, Pace, Partner, Share};

/// How long one request to a partner may take where its file does not say.
const DEFAULT_TIMEOUT_S: u64 = 30;

/// Checks the file whose name without `.toml` is `stem`.
pub(in crate::config) fn check(
    findings: &mut Findings,
    raw: raw::Partner,
    stem: &str,
    reach: Reach,
) -> Option<Partner> {
    let id = raw.id.and_then(|id| partner_id(findings, id, stem));
    // A file whose id is wrong is still read to its end; its client then belongs to nobody.
    let role = ClientRole::Partner(id.clone().unwrap_or_else(|| PartnerId::new(stem)));
    let client = raw.inbound.and_then(|raw| client::check(findings, "inbound", raw, role, reach));
    let outbound = raw.outbound.and_then(|raw| outbound(findings, raw, reach));
    let organization = raw.organization.and_then(organization);
    Some(Partner {
        id: id?,
        name: raw.name?,
        organization: organization?,
        dialect: raw.dialect.map(Into::into).unwrap_or_default(),
        fhir_version: raw.fhir_version.map(Into::into).unwrap_or_default(),
        profiles: raw.profiles.unwrap_or_default(),
        client: client?,
        outbound: outbound?,
    })
}

fn partner_id(findings: &mut Findings, id: String, stem: &str) -> Option<PartnerId> {
    let is_legal = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    if id.is_empty() || id.len() > 64 || !id.chars().all(is_legal) {
        let message = "`id` is not a partner id".to_owned();
        findings.report(Code::PartnerId, "id", message, "use 1 to 64 of a-z, 0-9 and hyphens");
        return None;
    }
    if id != stem {
        let help = format!("name the file `{id}.toml`, or set id = \"{stem}\"");
        findings.report(Code::PartnerId, "id", "`id` is not the name of its file".to_owned(), help);
        return None;
    }
    Some(PartnerId::new(id))
}

fn outbound(findings: &mut Findings, raw: raw::Outbound, reach: Reach) -> Option<Outbound> {
    let mode = raw.mode?;
    let share = raw.share.map(|share| share.into_iter().map(Share::from).collect());
    // What inbox does not need is checked all the same: people switch between the two.
    let credentials = match raw.auth {
        Some(auth) => credentials::check(findings, "outbound.auth", auth, reach),
        None => Some(Credentials::None),
    };
    let issuers = named_file::issuers(findings, "outbound.ca_file", raw.ca_file.as_deref());
    let help = "add the base address of the partner's FHIR server, or use mode = \"inbox\"";
    let base_url = match mode {
        Mode::Inbox => raw.base_url,
        Mode::Rest | Mode::Message => needed(findings, "outbound.base_url", raw.base_url, help),
    };
    if mode == Mode::Message {
        check_message(findings, raw.effects);
    }
    let base_url = base_url.and_then(|base| address::within(findings, "outbound.base_url", &base, reach));
    if mode == Mode::Inbox {
        return Some(Outbound { mode: OutboundMode::Inbox, share: share? });
    }
    let endpoint = Box::new(Endpoint {
        base_url: base_url?,
        issuers: issuers.ok()?,
        credentials: credentials?,
        timeout: Duration::from_secs(raw.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S)),
        writes: WriteRules {
            effects: raw.effects.map(Into::into).unwrap_or_default(),
            verify_unique: raw.verify_unique.map(Into::into).unwrap_or_default(),
        },
        pace: Pace { at_once: raw.attempts_at_once, per_second: raw.attempts_per_second },
    });
    let mode =
        if mode == Mode::Message { OutboundMode::Message(endpoint) } else { OutboundMode::Rest(endpoint) };
    Some(Outbound { mode, share: share? })
}

/// A message is sent again under the same ids until the receiver answers; who asks for something else would not get it.
fn check_message(findings: &mut Findings, effects: Option<Effects>) {
    if effects.is_some_and(|it| !matches!(it, Effects::Auto | Effects::AtLeastOnce)) {
        findings.report(
            Code::Conflict,
            "outbound.effects",
            "`effects` and mode = \"message\" do not go together".to_owned(),
            "leave `effects` out: a message is sent again under the same ids, and its receiver takes it once",
        );
    }
}

impl From<raw::Dialect> for Dialect {
    fn from(raw: raw::Dialect) -> Self {
        match raw {
            raw::Dialect::Plain => Self::Plain,
            raw::Dialect::Cow => Self::Cow,
            raw::Dialect::Bser => Self::Bser,
            raw::Dialect::Sdoh => Self::Sdoh,
            raw::Dialect::Bars => Self::Bars,
        }
    }
}

impl From<raw::FhirVersion> for FhirVersion {
    fn from(raw: raw::FhirVersion) -> Self {
        match raw {
            raw::FhirVersion::Stu3 => Self::Stu3,
            raw::FhirVersion::R4 => Self::R4,
            raw::FhirVersion::R4b => Self::R4b,
            raw::FhirVersion::R5 => Self::R5,
        }
    }
}

impl From<raw::Share> for Share {
    fn from(raw: raw::Share) -> Self {
        match raw {
            raw::Share::ReferralStatus => Self::ReferralStatus,
            raw::Share::Scheduling => Self::Scheduling,
            raw::Share::Communication => Self::Communication,
            raw::Share::VisitSummary => Self::VisitSummary,
            raw::Share::Results => Self::Results,
            raw::Share::CarePlan => Self::CarePlan,
        }
    }
}
