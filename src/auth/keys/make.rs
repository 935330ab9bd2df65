//! New private keys.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::partner::SigningAlgorithm;
use crate::model::sensitive::Sensitive;

/// A private key for this algorithm, PKCS#8 in PEM; RSA of 3072 bits. None: the system has no random bytes.
pub(super) fn new_private_key(algorithm: SigningAlgorithm) -> Option<Sensitive<String>> {
    match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa3072).ok()?;
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            Some(pem(der.as_ref()))
        }
        SigningAlgorithm::Es256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
        SigningAlgorithm::Es384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
    }
}

fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> Option<Sensitive<String>> {
    let pair = EcdsaKeyPair::generate(algorithm).ok()?;
    Some(pem(pair.to_pkcs8v1().ok()?.as_ref()))
}

/// RFC 7468: lines of 64 characters.
fn pem(der: &[u8]) -> Sensitive<String> {
    let text = STANDARD.encode(der);
    let mut lines = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines.push_str("\n-----END PRIVATE KEY-----\n");
    Sensitive::new(lines)
}
