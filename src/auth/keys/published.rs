//! The public halves of the keys that sign our client assertions, for everybody (RFC 7517 §5).

use std::sync::Arc;

use serde_json::{Value, json};

use super::folder::KeyFolder;
use super::{AssertionKey, KeyProblem};
use crate::model::partner::{Credentials, OwnKey};

/// How long others may keep the document, in seconds. A new key has to be published longer than this before it signs.
pub const KEPT_S: u32 = 300;

/// Two keys of ours that nobody could tell apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two different private keys have the `key_id` {0}: whoever reads our JWKS could not tell them apart")]
pub struct SameName(pub String);

/// What stands at `/.well-known/jwks.json`.
#[derive(Default)]
pub struct OwnKeys {
    given: Vec<Value>,
    folder: Option<Arc<KeyFolder>>,
}

impl OwnKeys {
    /// The keys that the settings name, and those of the folder. A key that cannot be read is left out; whoever needs it
    /// says so.
    pub fn of<'a>(
        credentials: impl Iterator<Item = &'a Credentials>,
        folder: Option<Arc<KeyFolder>>,
    ) -> Result<Self, SameName> {
        let mut given: Vec<Value> = Vec::new();
        for key in credentials.filter_map(|it| public_half(it)?.ok()) {
            match given.iter().find(|it| it["kid"] == key["kid"] && it["kty"] == key["kty"]) {
                Some(earlier) if is_same(earlier, &key) => {}
                Some(_) => return Err(SameName(key["kid"].as_str().unwrap_or_default().to_owned())),
                None => given.push(key),
            }
        }
        Ok(Self { given, folder })
    }

    /// The document, as it is now. While the folder cannot be read at all, without its keys.
    pub fn document(&self) -> Value {
        let from_folder = self.folder.as_ref().map(|it| it.published());
        let from_folder = from_folder.transpose().unwrap_or_else(|error| {
            tracing::error!(%error, "our own keys cannot be published");
            None
        });
        let keys: Vec<Value> = self.given.iter().cloned().chain(from_folder.into_iter().flatten()).collect();
        json!({ "keys": keys })
    }
}

fn public_half(credentials: &Credentials) -> Option<Result<Value, KeyProblem>> {
    match credentials {
        Credentials::PrivateKeyJwt { key: OwnKey::Given { private_key, key_id, algorithm }, .. } => {
            Some(AssertionKey::read(private_key.reveal(), key_id, *algorithm).map(|it| it.public_jwk()))
        }
        _ => None,
    }
}

/// The same numbers; one key may sign by two algorithms.
fn is_same(one: &Value, other: &Value) -> bool {
    ["kty", "n", "e", "crv", "x", "y"].iter().all(|name| one[name] == other[name])
}
