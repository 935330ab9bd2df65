//! `[clinic.client]` and `[inbound]`: who may call us.

use std::path::Path;

use super::network::Reach;
use super::{address, named_file, needed, secret};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::client as raw;
use crate::model::client::{Client, ClientCredential, ClientRole, KeyAddress, Rate};

/// Checks the section whose key is `at`. `reach` is how far addresses of partners may reach.
pub(super) fn check(
    findings: &mut Findings,
    at: &str,
    raw: raw::Client,
    role: ClientRole,
    reach: Reach,
) -> Option<Client> {
    let client_id = raw.client_id.clone();
    let rate = rate(findings, at, &raw);
    let own_network = role == ClientRole::Clinic;
    let credential = Section { findings, at, reach, own_network }.credential(raw);
    Some(Client { client_id: client_id?, credential: credential?, role, rate })
}

fn rate(findings: &mut Findings, at: &str, raw: &raw::Client) -> Option<Rate> {
    if raw.requests_per_second.is_some() != raw.burst.is_some() {
        let (there, missing) = match raw.burst {
            Some(_) => ("burst", "requests_per_second"),
            None => ("requests_per_second", "burst"),
        };
        let message = format!("`{there}` stands without `{missing}`");
        findings.report(Code::Conflict, format!("{at}.{there}").as_str(), message, "give both or neither");
    }
    Some(Rate { per_second: raw.requests_per_second?, burst: raw.burst? })
}

struct Section<'a> {
    findings: &'a mut Findings,
    at: &'a str,
    reach: Reach,
    /// The clinic's own servers may stand in its own network.
    own_network: bool,
}

impl Section<'_> {
    fn credential(&mut self, raw: raw::Client) -> Option<ClientCredential> {
        let has_secret = raw.client_secret.is_some() || raw.client_secret_file.is_some();
        if raw.jwks_ca_file.is_some() && raw.jwks_url.is_none() {
            return self.conflict("jwks_ca_file", "stands without `jwks_url`", "remove it, or add jwks_url");
        }
        match (raw.jwks_url, raw.jwks_file, has_secret) {
            (Some(_), Some(_), _) => self.conflict("jwks_file", TWO_WAYS, ONE_WAY),
            (Some(_), _, true) => self.conflict("jwks_url", TWO_WAYS, ONE_WAY),
            (_, Some(_), true) => self.conflict("jwks_file", TWO_WAYS, ONE_WAY),
            (Some(url), None, false) => self.published(&url, raw.jwks_ca_file.as_deref()),
            (None, Some(file), false) => {
                named_file::jwks(self.findings, &self.key("jwks_file"), &file).map(ClientCredential::Keys)
            }
            (None, None, true) => {
                let key = self.key("client_secret");
                secret::required(self.findings, &key, raw.client_secret, raw.client_secret_file)
                    .map(ClientCredential::Secret)
            }
            (None, None, false) => missing(self.findings, self.at, &self.key("jwks_file")),
        }
    }

    fn published(&mut self, url: &str, ca_file: Option<&Path>) -> Option<ClientCredential> {
        let anywhere = self.reach == Reach::Anywhere;
        let private = self.own_network || anywhere;
        let (url_key, file_key) = (self.key("jwks_url"), self.key("jwks_ca_file"));
        let url = address::of_keys(self.findings, &url_key, url, private, anywhere);
        let issuers = named_file::issuers(self.findings, &file_key, ca_file).ok()?;
        Some(ClientCredential::KeysAt(KeyAddress { url: url?, issuers }))
    }

    fn conflict(&mut self, name: &str, what: &str, help: &str) -> Option<ClientCredential> {
        let key = self.key(name);
        self.findings.report(Code::Conflict, key.as_str(), format!("`{key}` {what}"), help);
        None
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }
}

const TWO_WAYS: &str = "stands beside another way to prove who it is";
const ONE_WAY: &str = "keep one of jwks_url, jwks_file and the client secret";

fn missing(findings: &mut Findings, at: &str, jwks_key: &str) -> Option<ClientCredential> {
    // A secret whose variable is not set is there, and was reported.
    let names = ["jwks_url", "jwks_file", "client_secret", "client_secret_file"];
    if !names.iter().any(|name| findings.writes(&format!("{at}.{name}"))) {
        let help = "add jwks_url, jwks_file, client_secret_file or client_secret";
        needed::<ClientCredential>(findings, jwks_key, None, help);
    }
    None
}
