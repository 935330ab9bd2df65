//! Taking a signed token apart without believing it yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use crate::fhir::json;

/// The longest token that we look at. Ours have about 600 characters, assertions about 900.
const LONGEST: usize = 8 * 1024;

/// A token in compact form (RFC 7515 §7.1), read but not verified.
pub(super) struct Jwt<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Jwt<'a> {
    /// None: not three parts, or not base64url, or not JSON objects.
    pub(super) fn read(token: &'a str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self { header: object(header)?, claims: object(claims)?, signed, signature })
    }

    pub(super) fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.header(name)?.as_str()
    }

    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    pub(super) fn claim_text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// A NumericDate in whole seconds, rounded down (RFC 7519 §2 allows fractions).
    pub(super) fn claim_seconds(&self, name: &str) -> Option<i64> {
        let digits = self.claim(name)?.as_number()?.to_string();
        let whole = digits.split_once('.').map_or(digits.as_str(), |(whole, _)| whole);
        whole.parse().ok()
    }

    /// True: `audience` is the `aud` claim, or is in it (RFC 7519 §4.1.3). Exactly, letter by letter.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match self.claim("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|it| it == audience),
            _ => false,
        }
    }

    /// True: the signature is good for this key. The caller names the algorithm, never the token.
    pub(super) fn is_signed_by(&self, key: &DecodingKey, algorithm: Algorithm) -> bool {
        jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm).unwrap_or(false)
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    match json::parse(&bytes).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
