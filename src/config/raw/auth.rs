//! `[clinic.auth]` and `[outbound.auth]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// How we prove who we are at a FHIR server.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    /// Which kind of proof; it decides which other keys belong here.
    #[schemars(required)]
    pub(crate) kind: Option<AuthKind>,
    /// bearer: the token. Give this or `token_file`.
    pub(crate) token: Option<String>,
    /// bearer: the file that holds the token.
    pub(crate) token_file: Option<PathBuf>,
    /// basic: the user name.
    #[schemars(length(min = 1))]
    pub(crate) username: Option<String>,
    /// basic: the password. Give this or `password_file`.
    pub(crate) password: Option<String>,
    /// basic: the file that holds the password.
    pub(crate) password_file: Option<PathBuf>,
    /// client-secret, private-key-jwt: the token endpoint.
    pub(crate) token_url: Option<String>,
    /// client-secret, private-key-jwt: our client id there.
    #[schemars(length(min = 1))]
    pub(crate) client_id: Option<String>,
    /// client-secret: the secret. Give this or `client_secret_file`.
    pub(crate) client_secret: Option<String>,
    /// client-secret: the file that holds the secret.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// client-secret: where the secret stands in the request; left out: basic.
    pub(crate) secret_in: Option<SecretIn>,
    /// private-key-jwt: the file that holds the private key, PEM. Left out with `key_id`: the key of `keys.directory`
    /// whose turn it is.
    pub(crate) private_key_file: Option<PathBuf>,
    /// private-key-jwt: the key's `kid` in the JWKS that the server knows.
    #[schemars(length(min = 1))]
    pub(crate) key_id: Option<String>,
    /// private-key-jwt: the signature algorithm; left out: RS384.
    pub(crate) algorithm: Option<Algorithm>,
    /// private-key-jwt: what the assertion names as its audience; left out: `token_url`.
    #[schemars(length(min = 1))]
    pub(crate) audience: Option<String>,
    /// client-secret, private-key-jwt: further fields of the token request's form.
    pub(crate) form: Option<BTreeMap<String, String>>,
    /// client-secret, private-key-jwt: the scopes, separated by spaces; left out: `system/*.cruds`.
    #[schemars(length(min = 1))]
    pub(crate) scope: Option<String>,
}

/// The kinds of proof.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuthKind {
    /// The server asks for nothing.
    None,
    /// A fixed bearer token.
    Bearer,
    /// HTTP Basic.
    Basic,
    /// OAuth 2.0 client credentials with a shared secret.
    ClientSecret,
    /// OAuth 2.0 client credentials with a signed assertion (SMART Backend Services).
    PrivateKeyJwt,
}

/// Where a client secret stands in a token request.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretIn {
    /// In the header, by HTTP Basic.
    Basic,
    /// In the form.
    Form,
}

/// The signature algorithms: the first two are those of SMART Backend Services.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}
