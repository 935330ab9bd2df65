//! Our own keys: the one that signs access tokens, and the private keys of `private_key_jwt`.

pub mod folder;
mod make;
pub mod published;
pub mod ring;
#[cfg(test)]
mod tests;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::model::partner::SigningAlgorithm;
use crate::model::sensitive::Sensitive;

/// Why a private key cannot be used. Never holds any of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// The PEM text is not a private key of the kind that the algorithm needs.
    #[error(
        "is not a PEM private key for {0}; an elliptic one convert it with `openssl pkcs8 -topk8 -nocrypt`"
    )]
    NotAKey(&'static str),
    /// The key is there but cannot sign: too short, or another curve.
    #[error(
        "cannot sign with {0}: use RSA of at least 2048 bits for RS384 and RS256, P-384 for ES384, P-256 for ES256"
    )]
    DoesNotFit(&'static str),
}

/// A private key that signs our client assertions, under the id that the server knows it by.
#[derive(Clone, Debug)]
pub struct AssertionKey {
    key: EncodingKey,
    key_id: String,
    algorithm: Algorithm,
}

impl AssertionKey {
    /// Reads a PEM private key (PKCS#8, for RSA also PKCS#1) and tries it once.
    pub fn read(pem: &[u8], key_id: &str, algorithm: SigningAlgorithm) -> Result<Self, KeyProblem> {
        let name = algorithm.name();
        let (key, algorithm) = match algorithm {
            SigningAlgorithm::Rs384 => (EncodingKey::from_rsa_pem(pem), Algorithm::RS384),
            SigningAlgorithm::Es384 => (EncodingKey::from_ec_pem(pem), Algorithm::ES384),
            SigningAlgorithm::Rs256 => (EncodingKey::from_rsa_pem(pem), Algorithm::RS256),
            SigningAlgorithm::Es256 => (EncodingKey::from_ec_pem(pem), Algorithm::ES256),
        };
        let key = key.map_err(|_| KeyProblem::NotAKey(name))?;
        jsonwebtoken::crypto::sign(b"fits", &key, algorithm).map_err(|_| KeyProblem::DoesNotFit(name))?;
        Ok(Self { key, key_id: key_id.to_owned(), algorithm })
    }

    /// The public half, as an entry of our JWKS (RFC 7517 §4).
    ///
    /// # Panics
    /// Never: the key has signed when it was read, so it has a public half.
    pub fn public_jwk(&self) -> Value {
        let jwk =
            Jwk::from_encoding_key(&self.key, self.algorithm).expect("a key that signs has a public half");
        let mut jwk = serde_json::to_value(jwk).expect("a JWK is made of text");
        jwk["kid"] = json!(self.key_id);
        jwk["use"] = json!("sig");
        jwk
    }

    pub(super) fn key(&self) -> &EncodingKey {
        &self.key
    }

    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Derives the key that signs access tokens from the gateway's own key, so that one secret is enough
/// and a payload key never signs anything.
///
/// Source: RFC 5869 (HKDF-SHA256, no salt).
///
/// # Panics
/// Never: HKDF-SHA256 always has 32 bytes to give.
pub fn access_token_key(gateway_key: &Sensitive<[u8; 32]>) -> Sensitive<[u8; 32]> {
    let extracted = Salt::new(HKDF_SHA256, &[]).extract(gateway_key.reveal());
    let label: [&[u8]; 1] = [b"referral-gateway access token HS256 v1"];
    let mut derived = [0; 32];
    let expanded = extracted.expand(&label, HKDF_SHA256);
    expanded.and_then(|it| it.fill(&mut derived)).expect("32 bytes are one block of HKDF-SHA256");
    Sensitive::new(derived)
}
