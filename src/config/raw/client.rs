//! `[clinic.client]` and `[inbound]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// A program that asks us for access tokens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are the keys of the file")]
pub(crate) struct Client {
    /// Its OAuth 2.0 client id. No two clients may have the same.
    #[schemars(required, length(min = 1))]
    pub(crate) client_id: Option<String>,
    /// The file that holds its public keys, a JWKS document (RFC 7517).
    pub(crate) jwks_file: Option<PathBuf>,
    /// Where it publishes its public keys, a JWKS document (RFC 7517); https.
    pub(crate) jwks_url: Option<String>,
    /// The only issuers whose certificates the server of `jwks_url` may show, PEM; left out: those that this machine
    /// trusts.
    pub(crate) jwks_ca_file: Option<PathBuf>,
    /// A shared secret. Give this or `client_secret_file`.
    pub(crate) client_secret: Option<String>,
    /// The file that holds a shared secret.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// How many requests a second it may send in the long run; left out: `limits.requests_per_second`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) requests_per_second: Option<u32>,
    /// How many requests it may send at once after a pause; left out: `limits.burst`. Goes with
    /// `requests_per_second`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) burst: Option<u32>,
}

/// The business identifier of an organisation: FHIR's `Identifier.system` and `.value`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Organization {
    /// The namespace, a URI.
    #[schemars(required, regex(pattern = r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"))]
    pub(crate) system: Option<String>,
    /// The value within it.
    #[schemars(required, length(min = 1))]
    pub(crate) value: Option<String>,
}
