//! `[clinic]`.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::network::Reach;
use super::{address, client, credentials, named_file, organization, secret};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::gateway as raw;
use crate::config::settings::Clinic;
use crate::model::client::ClientRole;
use crate::model::effects::WriteRules;
use crate::model::partner::{Endpoint, Pace};

/// Checks the section. `private_networks` is `server.allow_private_networks`.
pub(super) fn check(findings: &mut Findings, raw: raw::Clinic, private_networks: bool) -> Option<Clinic> {
    let base_url = address::any(findings, "clinic.base_url", &raw.base_url);
    let issuers = named_file::issuers(findings, "clinic.ca_file", raw.ca_file.as_deref());
    let credentials = credentials::check(findings, "clinic.auth", raw.auth, Reach::Anywhere);
    let time_zone = time_zone(findings, &raw.time_zone);
    let hook_token = secret::optional(findings, "clinic.hook_token", raw.hook_token, raw.hook_token_file);
    let reach = if private_networks { Reach::Anywhere } else { Reach::PublicOnly };
    let client = match raw.client {
        Some(raw) => client::check(findings, "clinic.client", raw, ClientRole::Clinic, reach).map(Some),
        None => Some(None),
    };
    Some(Clinic {
        name: raw.name,
        organization: organization(raw.organization)?,
        endpoint: Endpoint {
            base_url: base_url?,
            issuers: issuers.ok()?,
            credentials: credentials?,
            timeout: Duration::from_secs(raw.timeout_s),
            writes: WriteRules { effects: raw.effects.into(), verify_unique: raw.verify_unique.into() },
            pace: Pace { at_once: raw.attempts_at_once, per_second: raw.attempts_per_second },
        },
        poll_interval: Duration::from_secs(raw.poll_interval_s),
        poll_overlap: Duration::from_secs(raw.poll_overlap_s),
        time_zone: time_zone?,
        hook_token: hook_token.ok()?,
        client: client?,
    })
}

fn time_zone(findings: &mut Findings, name: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(name).ok();
    if zone.is_none() {
        let key = "clinic.time_zone";
        let help = "use an IANA name such as \"America/New_York\", or \"UTC\"";
        findings.report(
            Code::BadValue,
            key,
            format!("`{key}` is not a time zone that this machine knows"),
            help,
        );
    }
    zone
}
