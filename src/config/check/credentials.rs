//! `[clinic.auth]` and `[outbound.auth]`: how we prove who we are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::network::Reach;
use super::{address, named_file, needed, secret};
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::auth::{Algorithm, Auth, AuthKind, SecretIn};
use crate::model::partner::{Credentials, OwnKey, SecretPlace, SigningAlgorithm, TokenGrant};
use crate::model::sensitive::Sensitive;

/// What SMART App Launch 2 calls create, read, update, delete and search of everything.
const DEFAULT_SCOPE: &str = "system/*.cruds";

/// What we write into the form of a token request ourselves.
const OWN_FIELDS: [&str; 6] =
    ["grant_type", "scope", "client_id", "client_secret", "client_assertion_type", "client_assertion"];

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
            const KEYS: &[&str] = &[
                "token_url",
                "client_id",
                "client_secret",
                "client_secret_file",
                "secret_in",
                "scope",
                "form",
            ];
            ("client-secret", KEYS)
        }
        AuthKind::PrivateKeyJwt => {
            const KEYS: &[&str] = &[
                "token_url",
                "client_id",
                "private_key_file",
                "key_id",
                "algorithm",
                "audience",
                "scope",
                "form",
            ];
            ("private-key-jwt", KEYS)
        }
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

    fn client_secret(&mut self, mut raw: Auth) -> Option<Credentials> {
        let key = self.key("client_secret");
        let (inline, file) = (raw.client_secret.take(), raw.client_secret_file.take());
        let secret = secret::required(self.findings, &key, inline, file);
        let place = match raw.secret_in {
            Some(SecretIn::Form) => SecretPlace::Form,
            Some(SecretIn::Basic) | None => SecretPlace::Basic,
        };
        let grant = self.grant(raw);
        Some(Credentials::ClientSecret { grant: grant?, client_secret: secret?, place })
    }

    fn private_key_jwt(&mut self, mut raw: Auth) -> Option<Credentials> {
        let algorithm = raw.algorithm.map_or(SigningAlgorithm::Rs384, Into::into);
        let key = match (raw.key_id.take(), raw.private_key_file.take()) {
            (None, None) if !self.writes_a_key() => Some(OwnKey::InTurn(algorithm)),
            (key_id, file) => self.given_key(key_id, file, algorithm),
        };
        let grant = self.grant(raw);
        Some(Credentials::PrivateKeyJwt { grant: grant?, key: key? })
    }

    /// A key whose variable is not set is there, and was reported.
    fn writes_a_key(&self) -> bool {
        ["key_id", "private_key_file"].iter().any(|name| self.findings.writes(&self.key(name)))
    }

    fn given_key(
        &mut self,
        key_id: Option<String>,
        file: Option<PathBuf>,
        algorithm: SigningAlgorithm,
    ) -> Option<OwnKey> {
        let key_id = self.needed("key_id", key_id);
        let file = self.needed("private_key_file", file);
        let key = self.key("private_key_file");
        let private_key = file.and_then(|file| named_file::pem(self.findings, &key, &file, "PRIVATE KEY"));
        let private_key = Sensitive::new(private_key?.into_bytes());
        Some(OwnKey::Given { private_key, key_id: key_id?, algorithm })
    }

    fn grant(&mut self, raw: Auth) -> Option<TokenGrant> {
        let client_id = self.needed("client_id", raw.client_id);
        let form = self.form(raw.form.unwrap_or_default());
        let token_url = self.needed("token_url", raw.token_url)?;
        let key = self.key("token_url");
        let token_url = address::within(self.findings, &key, &token_url, self.reach);
        let scope = raw.scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
        let (client_id, audience) = (client_id?, raw.audience);
        Some(TokenGrant { token_url: token_url?, client_id, scope, audience, form: form? })
    }

    fn form(&mut self, fields: BTreeMap<String, String>) -> Option<Vec<(String, Sensitive<String>)>> {
        if let Some(name) = fields.keys().find(|it| OWN_FIELDS.contains(&it.as_str())) {
            let key = self.key("form");
            let message = format!("`{key}` holds `{name}`, which is ours to write");
            self.findings.report(Code::Conflict, key.as_str(), message, "remove it; it has a key of its own");
            return None;
        }
        Some(fields.into_iter().map(|(name, value)| (name, Sensitive::new(value))).collect())
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    fn needed<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        let help = format!("add it; `{}.kind` asks for it", self.at);
        needed(self.findings, &self.key(name), value, &help)
    }
}

impl From<Algorithm> for SigningAlgorithm {
    fn from(raw: Algorithm) -> Self {
        match raw {
            Algorithm::Rs384 => Self::Rs384,
            Algorithm::Es384 => Self::Es384,
            Algorithm::Rs256 => Self::Rs256,
            Algorithm::Es256 => Self::Es256,
        }
    }
}
