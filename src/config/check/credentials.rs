//! `[clinic.auth]` and `[outbound.auth]`: how we prove who we are.

use super::network::Reach;
use super::{address, named_file, needed, secret};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::auth::{Algorithm, Auth, AuthKind};
use crate::model::partner::{Credentials, SigningAlgorithm, TokenGrant};
use crate::model::sensitive::Sensitive;

/// What SMART App Launch 2 calls create, read, update, delete and search of everything.
const DEFAULT_SCOPE: &str = "system/*.cruds";

/// Checks the section whose key is `at`.
pub(super) fn check(findings: &mut Findings, at: &str, raw: Auth, reach: Reach) -> Option<Credentials> {
    let kind = raw.kind?; // the schema requires it
    check_keys(findings, at, kind);
    let mut section = Section { findings, at, reach };
    match kind {
        AuthKind::None => Some(Credentials::None),
        AuthKind::Bearer => section.bearer(raw),
        AuthKind::Basic => section.basic(raw),
        AuthKind::ClientSecret => section.client_secret(raw),
        AuthKind::PrivateKeyJwt => section.private_key_jwt(raw),
    }
}

/// The word for a kind and the keys that belong to it.
const fn keys_of(kind: AuthKind) -> (&'static str, &'static [&'static str]) {
    match kind {
        AuthKind::None => ("none", &[]),
        AuthKind::Bearer => ("bearer", &["token", "token_file"]),
        AuthKind::Basic => ("basic", &["username", "password", "password_file"]),
        AuthKind::ClientSecret => {
            ("client-secret", &["token_url", "client_id", "client_secret", "client_secret_file", "scope"])
        }
        AuthKind::PrivateKeyJwt => (
            "private-key-jwt",
            &["token_url", "client_id", "private_key_file", "key_id", "algorithm", "scope"],
        ),
    }
}

fn check_keys(findings: &mut Findings, at: &str, kind: AuthKind) {
    let (word, keys) = keys_of(kind);
    for name in findings.names_in(at) {
        if name != "kind" && !keys.contains(&name.as_str()) {
            let key = format!("{at}.{name}");
            let message = format!("`{name}` does not belong to kind `{word}`");
            let help = format!("remove it, or change `{at}.kind`");
            findings.report(Code::Conflict, key.as_str(), message, help);
        }
    }
}

struct Section<'a> {
    findings: &'a mut Findings,
    at: &'a str,
    reach: Reach,
}

impl Section<'_> {
    fn bearer(&mut self, raw: Auth) -> Option<Credentials> {
        let key = self.key("token");
        secret::required(self.findings, &key, raw.token, raw.token_file).map(Credentials::Bearer)
    }

    fn basic(&mut self, raw: Auth) -> Option<Credentials> {
        let username = self.needed("username", raw.username);
        let key = self.key("password");
        let password = secret::required(self.findings, &key, raw.password, raw.password_file);
        Some(Credentials::Basic { username: username?, password: password? })
    }

    fn client_secret(&mut self, raw: Auth) -> Option<Credentials> {
        let key = self.key("client_secret");
        let secret = secret::required(self.findings, &key, raw.client_secret, raw.client_secret_file);
        let grant = self.grant(raw.token_url, raw.client_id, raw.scope);
        Some(Credentials::ClientSecret { grant: grant?, client_secret: secret? })
    }

    fn private_key_jwt(&mut self, raw: Auth) -> Option<Credentials> {
        let grant = self.grant(raw.token_url, raw.client_id, raw.scope);
        let key_id = self.needed("key_id", raw.key_id);
        let file = self.needed("private_key_file", raw.private_key_file);
        let key = self.key("private_key_file");
        let private_key = file.and_then(|file| named_file::pem(self.findings, &key, &file, "PRIVATE KEY"));
        let algorithm = match raw.algorithm {
            Some(Algorithm::Es384) => SigningAlgorithm::Es384,
            Some(Algorithm::Rs384) | None => SigningAlgorithm::Rs384,
        };
        Some(Credentials::PrivateKeyJwt {
            grant: grant?,
            private_key: Sensitive::new(private_key?.into_bytes()),
            key_id: key_id?,
            algorithm,
        })
    }

    fn grant(
        &mut self,
        token_url: Option<String>,
        client_id: Option<String>,
        scope: Option<String>,
    ) -> Option<TokenGrant> {
        let client_id = self.needed("client_id", client_id);
        let token_url = self.needed("token_url", token_url)?;
        let key = self.key("token_url");
        let token_url = address::within(self.findings, &key, &token_url, self.reach);
        let scope = scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
        Some(TokenGrant { token_url: token_url?, client_id: client_id?, scope })
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    fn needed<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        let help = format!("add it; `{}.kind` asks for it", self.at);
        needed(self.findings, &self.key(name), value, &help)
    }
}
