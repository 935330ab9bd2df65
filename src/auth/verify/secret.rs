//! Client authentication by a shared secret in HTTP Basic.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::form_urlencoded;

use super::fault::CredentialFault;
use crate::model::sensitive::Sensitive;

/// What an HTTP Basic header says.
pub(super) struct BasicCredentials {
    /// The client id.
    pub(super) client_id: String,
    /// The secret as it stands in the header.
    raw: Sensitive<String>,
}

impl BasicCredentials {
    /// Reads `Basic base64(id ":" secret)`, the id form-encoded (RFC 6749 §2.3.1).
    pub(super) fn read(header: &HeaderValue) -> Result<Self, CredentialFault> {
        let text = header.to_str().ok().and_then(|it| it.split_once(' '));
        let (_, encoded) = text
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .ok_or(CredentialFault::NotBasic)?;
        let pair = STANDARD.decode(encoded.trim()).ok().and_then(|it| String::from_utf8(it).ok());
        let pair = pair.ok_or(CredentialFault::NotBasic)?;
        let (client_id, raw) = pair.split_once(':').ok_or(CredentialFault::NotBasic)?;
        Ok(Self { client_id: form_decoded(client_id), raw: Sensitive::new(raw.to_owned()) })
    }
}

/// The digest of a registered secret.
#[derive(Clone, Debug)]
pub(super) struct SecretDigest(Sensitive<[u8; 32]>);

impl SecretDigest {
    pub(super) fn of(secret: &str) -> Self {
        Self(Sensitive::new(sha256(secret)))
    }

    /// The digest of a secret that nobody knows.
    pub(super) fn decoy() -> Self {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has random bytes");
        Self(Sensitive::new(bytes))
    }

    /// Compares in constant time. The secret counts form-encoded, as RFC 6749 §2.3.1 asks, and also as it
    /// stands, because `curl -u` does not encode.
    pub(super) fn is_of(&self, shown: &BasicCredentials) -> bool {
        let equal = |it: &str| verify_slices_are_equal(self.0.reveal(), &sha256(it)).is_ok();
        let raw = shown.raw.reveal();
        // Not `||`: both are always computed.
        equal(&form_decoded(raw)) | equal(raw)
    }
}

fn sha256(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn form_decoded(text: &str) -> String {
    let one_name = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(one_name.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pair: &str) -> BasicCredentials {
        let header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).unwrap();
        BasicCredentials::read(&header).unwrap_or_else(|fault| panic!("{fault}"))
    }

    #[test]
    fn a_secret_counts_form_encoded_and_as_it_stands() {
        let registered = SecretDigest::of("p+%&=: ü");

        assert!(registered.is_of(&shown("lakeside:p%2B%25%26%3D%3A+%C3%BC")));
        assert!(registered.is_of(&shown("lakeside:p+%&=: ü")));
        assert!(!registered.is_of(&shown("lakeside:p")));
        assert!(!registered.is_of(&shown("lakeside:")));
        assert!(!SecretDigest::decoy().is_of(&shown("lakeside:")));
        assert_eq!(shown("lake%20side:x").client_id, "lake side");
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        for header in ["Bearer abc", "Basic", "Basic !!", "Basic bGFrZXNpZGU="] {
            let read = BasicCredentials::read(&HeaderValue::from_static(header));

            assert_eq!(read.err(), Some(CredentialFault::NotBasic), "{header}");
        }
    }
}
