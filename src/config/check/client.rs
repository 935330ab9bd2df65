//! `[clinic.client]` and `[inbound]`: who may call us.

use super::{named_file, needed, secret};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::client as raw;
use crate::model::client::{Client, ClientCredential, ClientRole, Rate};

/// Checks the section whose key is `at`.
pub(super) fn check(findings: &mut Findings, at: &str, raw: raw::Client, role: ClientRole) -> Option<Client> {
    let client_id = raw.client_id.clone();
    let rate = rate(findings, at, &raw);
    let credential = credential(findings, at, raw);
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

fn credential(findings: &mut Findings, at: &str, raw: raw::Client) -> Option<ClientCredential> {
    let (jwks_key, url_key) = (format!("{at}.jwks_file"), format!("{at}.jwks_url"));
    if raw.jwks_url.is_some() {
        let message = format!("`{url_key}` is not supported in this version");
        findings.report(Code::NotSupported, url_key.as_str(), message, "use jwks_file");
        return None;
    }
    let has_secret = raw.client_secret.is_some() || raw.client_secret_file.is_some();
    match (raw.jwks_file, has_secret) {
        (Some(_), true) => {
            let message = format!("both `{jwks_key}` and a client secret are given");
            findings.report(Code::Conflict, jwks_key.as_str(), message, "keep one of them");
            None
        }
        (Some(file), false) => named_file::jwks(findings, &jwks_key, &file).map(ClientCredential::Keys),
        (None, true) => {
            let key = format!("{at}.client_secret");
            secret::required(findings, &key, raw.client_secret, raw.client_secret_file)
                .map(ClientCredential::Secret)
        }
        (None, false) => missing(findings, at, &jwks_key),
    }
}

fn missing(findings: &mut Findings, at: &str, jwks_key: &str) -> Option<ClientCredential> {
    // A secret whose variable is not set is there, and was reported.
    let names = ["jwks_file", "jwks_url", "client_secret", "client_secret_file"];
    if !names.iter().any(|name| findings.writes(&format!("{at}.{name}"))) {
        let help = "add jwks_file, client_secret_file or client_secret";
        needed::<ClientCredential>(findings, jwks_key, None, help);
    }
    None
}
