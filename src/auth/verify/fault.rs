//! What can be wrong with a token request, in words for our log. None of it holds what was sent.

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

/// Why a client is not who it says it is; the caller learns none of it (smart.md rows 3.1 to 3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
    #[error("kid is missing")]
    NoKeyId,
    #[error("no registered key has this kid and fits alg")]
    UnknownKey,
    #[error("jku is given, and no JWKS URL is registered")]
    KeyUrl,
    #[error("crit names what we do not know")]
    Critical,
    #[error("the signature is wrong")]
    Signature,
    #[error("iss is missing or not sub")]
    Issuer,
    #[error("aud is not the token endpoint")]
    Audience,
    #[error("exp is missing or not a number")]
    NoExpiry,
    #[error("exp is past; compare the clocks")]
    Expired,
    #[error("exp is more than five minutes ahead; compare the clocks")]
    TooLong,
    #[error("nbf is ahead or not a number; compare the clocks")]
    NotYet,
    #[error("jti is missing, empty, not a string or longer than 255 bytes")]
    NoJti,
    #[error("jti was used before")]
    Replayed,
}
