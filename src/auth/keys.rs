//! Our own keys: the one that signs access tokens, and the private keys of `private_key_jwt`.

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
    #[error("is not a PEM private key for {0}; for ES384 convert it with `openssl pkcs8 -topk8 -nocrypt`")]
    NotAKey(&'static str),
    /// The key is there but cannot sign: too short, or another curve.
    #[error("cannot sign with {0}: use RSA of at least 2048 bits for RS384, P-384 for ES384")]
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
        let name = name_of(algorithm);
        let (key, algorithm) = match algorithm {
            SigningAlgorithm::Rs384 => (EncodingKey::from_rsa_pem(pem), Algorithm::RS384),
            SigningAlgorithm::Es384 => (EncodingKey::from_ec_pem(pem), Algorithm::ES384),
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

const fn name_of(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::Rs384 => "RS384",
        SigningAlgorithm::Es384 => "ES384",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::verify::testing::{ec_pem, rsa_pem};

    #[test]
    fn the_access_token_key_is_derived_and_is_not_the_gateway_key() {
        let one = access_token_key(&Sensitive::new([1; 32]));

        assert_eq!(one, access_token_key(&Sensitive::new([1; 32])));
        assert_ne!(one, Sensitive::new([1; 32]));
        assert_ne!(one, access_token_key(&Sensitive::new([2; 32])));
    }

    #[test]
    fn a_key_is_read_when_it_fits_its_algorithm() {
        let rsa = AssertionKey::read(rsa_pem().as_bytes(), "k1", SigningAlgorithm::Rs384).unwrap();
        let ec = AssertionKey::read(ec_pem().as_bytes(), "k2", SigningAlgorithm::Es384).unwrap();

        assert_eq!(rsa.public_jwk()["kty"], "RSA");
        let public = ec.public_jwk();
        assert_eq!((&public["crv"], &public["kid"]), (&json!("P-384"), &json!("k2")));
        assert!(public.get("d").is_none());
    }

    #[test]
    fn a_key_of_another_kind_is_refused_without_being_quoted() {
        for (pem, algorithm) in [
            (rsa_pem(), SigningAlgorithm::Es384),
            (ec_pem(), SigningAlgorithm::Rs384),
            ("no key at all".to_owned(), SigningAlgorithm::Rs384),
        ] {
            let problem = AssertionKey::read(pem.as_bytes(), "k", algorithm).unwrap_err();

            assert!(problem.to_string().contains(name_of(algorithm)));
        }
    }
}
