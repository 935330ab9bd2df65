//! Our own keys.

mod folder;
mod published;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::auth::verify::testing::{ec_pem, new_ec_pem, rsa_pem};

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

        assert!(problem.to_string().contains(algorithm.name()));
    }
}
