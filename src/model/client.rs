//! Who may call us.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use url::Url;

use super::ids::PartnerId;
use super::sensitive::Sensitive;
use super::work::StoreError;

/// A program that is registered to ask us for access tokens.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its OAuth 2.0 client id.
    pub client_id: String,
    /// How it proves who it is.
    pub credential: ClientCredential,
    /// For whom it speaks.
    pub role: ClientRole,
    /// How often it may call; none: as often as the gateway's settings say.
    pub rate: Option<Rate>,
}

/// How often something may happen: so many at once after a pause, and so many a second in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run, each second; at least 1.
    pub per_second: u32,
    /// At once; at least 1.
    pub burst: u32,
}

/// Counts what a client may do.
pub trait CallLimit: Send + Sync {
    /// Counts one call of this client. An error says how long to wait for the next, and counts nothing.
    fn take(&self, client_id: &str) -> Result<(), Duration>;
}

/// How a client proves who it is at the token endpoint.
#[derive(Clone, Debug)]
pub enum ClientCredential {
    /// A shared secret by HTTP Basic.
    Secret(Sensitive<String>),
    /// A signed assertion; the public keys as a JWKS document (RFC 7517).
    Keys(String),
    /// A signed assertion; the public keys are published by the client.
    KeysAt(KeyAddress),
}

/// Where a client publishes its public keys as a JWKS document (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyAddress {
    /// The address of the document.
    pub url: Url,
    /// The only issuers whose certificates its server may show, PEM; none: those that this machine trusts.
    pub issuers: Option<String>,
}

/// For whom a client speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// The EHR of this partner: it sees its own referrals and nothing else.
    Partner(PartnerId),
    /// The clinic's own EHR.
    Clinic,
}

/// Remembers which client assertions were used, across restarts.
#[async_trait]
pub trait SpentAssertions: Send + Sync {
    /// Marks `jti` of `client_id` as used until `expires`.
    /// False: it was used before, and the assertion must be refused.
    async fn spend(&self, client_id: &str, jti: &str, expires: Timestamp) -> Result<bool, StoreError>;

    /// True: it was used before, as far as is remembered. Marks nothing.
    async fn is_spent(&self, client_id: &str, jti: &str) -> Result<bool, StoreError>;
}
