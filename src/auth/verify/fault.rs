//! What can be wrong with a token request, in words for our log. None of it holds a proof that was sent.

use super::published::KeysFault;
use crate::model::work::StoreError;

/// Everything for which no token is issued.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The request itself.
    #[error("request: {0}")]
    Request(#[from] RequestFault),
    /// Who it says it is.
    #[error("client authentication: {0}")]
    Credential(#[from] CredentialFault),
    /// Nothing that was asked for may be had.
    #[error("scope: nothing that was asked for is within the registration")]
    Scope,
    /// Whether the assertion was used before is not known, so it cannot be taken.
    #[error("spent assertions: {0}")]
    Store(#[from] StoreError),
}

/// What is wrong with the request as such (RFC 6749 §4.4.2, §5.2; smart.md row 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestFault {
    #[error("Content-Type is not application/x-www-form-urlencoded")]
    NotAForm,
    #[error("the body is not a well-formed form")]
    Malformed,
    #[error("a parameter is given twice")]
    Repeated,
    #[error("grant_type is missing")]
    NoGrantType,
    #[error("grant_type is not client_credentials")]
    OtherGrantType,
    #[error("more than one way of client authentication")]
    TwoMethods,
    #[error("client_assertion_type is missing or not jwt-bearer")]
    AssertionType,
    #[error("client_assertion is missing")]
    NoAssertion,
    #[error("scope is missing")]
    NoScope,
}

impl RequestFault {
    /// What the caller should change.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::NotAForm => "Send the parameters as application/x-www-form-urlencoded.",
            Self::Malformed => "Send a form in UTF-8 with whole percent-encodings.",
            Self::Repeated => "Send each parameter once.",
            Self::NoGrantType | Self::OtherGrantType => "Send grant_type=client_credentials.",
            Self::TwoMethods => "Authenticate in one way only: HTTP Basic or client_assertion.",
            Self::AssertionType => {
                "Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer."
            }
            Self::NoAssertion => "Send the signed assertion as client_assertion.",
            Self::NoScope => "Say in scope what the token is for.",
        }
    }
}

/// Why a client is not who it says it is; the caller learns none of it (smart.md rows 3.1 to 3.9). Texts that were sent are
/// cut to plain characters before they come in here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CredentialFault {
    #[error("none was given")]
    None,
    #[error("the secret is in the body; only HTTP Basic is taken")]
    SecretInBody,
    #[error("the Authorization header is not HTTP Basic with an id and a secret")]
    NotBasic,
    #[error("the client is not registered, or for another way of authentication")]
    UnknownClient,
    #[error("the secret is wrong")]
    WrongSecret,
    #[error("client_id is not the client that authenticated")]
    OtherClientId,
    #[error("the assertion is not a JWT")]
    NotAJwt,
    #[error("alg is not RS384 or ES384")]
    Algorithm,
    #[error("typ is not JWT")]
    Type,
    #[error("kid is missing")]
    NoKeyId,
    #[error("no registered key has this kid and fits alg")]
    UnknownKey,
    #[error("no key with this kid that fits alg is in the JWKS at {url}{notes}")]
    UnknownKeyAt {
        url: String,
        /// What is wrong with keys there, if something is.
        notes: String,
    },
    #[error("the keys at {url} cannot be read: {fault}")]
    KeysUnread { url: String, fault: KeysFault },
    #[error("jku is given, and is not the registered JWKS URL")]
    KeyUrl,
    #[error("crit names what we do not know")]
    Critical,
    #[error("the signature is wrong")]
    Signature,
    #[error("iss is missing or not sub")]
    Issuer,
    #[error("aud is not the token endpoint, letter by letter: expected {expected}, found {found}")]
    Audience { expected: String, found: String },
    #[error("exp is missing or not a number")]
    NoExpiry,
    #[error("exp is past by {by_s} s: an old assertion, or a clock that is behind ours by as much or more")]
    Expired { by_s: i64 },
    #[error(
        "exp is more than five minutes ahead, by {by_s} s: too long a life, or a clock that is ahead of ours"
    )]
    TooLong { by_s: i64 },
    #[error("nbf is ahead by {by_s} s: the sender's clock is ahead of ours")]
    NotYet { by_s: i64 },
    #[error("nbf is not a number")]
    NotBefore,
    #[error("jti is missing, empty, not a string or longer than 255 bytes")]
    NoJti,
    #[error("jti was used before")]
    Replayed,
}
