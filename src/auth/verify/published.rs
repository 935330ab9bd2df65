//! Keys that a client publishes, as the check of an assertion asks for them. Who reads them is `auth::fetch`.

use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::Algorithm;

use super::jwks::{JwkFault, PublicKeys};
use crate::model::client::KeyAddress;

/// Gives the keys that a client publishes.
#[async_trait]
pub trait PublishedKeys: Send + Sync {
    /// The keys at `address`, no older than their server allows. Where none of them is `wanted`, they are read anew if
    /// they may be: the client may have changed its keys.
    async fn keys(&self, address: &KeyAddress, wanted: &KeyName) -> Result<Arc<PublicKeys>, KeysFault>;
}

/// Which key an assertion was signed with, by its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// The header `kid`.
    pub key_id: String,
    /// The header `alg`, which must fit the key's type.
    pub algorithm: Algorithm,
}

/// Why published keys cannot be read. Holds nothing that was received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    /// No whole answer, in words of ours.
    #[error("{0}")]
    NoAnswer(&'static str),
    /// Another answer than 200.
    #[error("the server answered {0}")]
    Status(u16),
    /// More than a JWKS can have.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Not a JWKS.
    #[error("{0}")]
    NotAKeySet(JwkFault),
    /// Our own settings: the issuers cannot be read.
    #[error("the issuers in `jwks_ca_file` are no certificates in PEM that can be used")]
    Issuers,
}
