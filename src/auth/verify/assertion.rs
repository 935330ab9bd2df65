//! Client authentication by a signed assertion: each rule is one function, so that a refusal and a diagnosis say the same.
//!
//! Source: RFC 7523 §3; SMART App Launch 2.2, client-confidential-asymmetric; smart.md section 3.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use url::Url;

use super::fault::CredentialFault;
use super::jwks::PublicKeys;
use super::jwt::Jwt;
use super::published::KeyName;
use super::refusal::loggable;

/// How far two clocks may differ, on both ends of a lifetime, in seconds.
pub(super) const SKEW_S: i64 = 60;

/// The longest lifetime of an assertion, in seconds.
const LONGEST_S: i64 = 300;

/// The longest `jti` that we remember, in bytes.
const LONGEST_JTI: usize = 255;

/// What an assertion claims, where it may be claimed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims<'a> {
    pub(super) client_id: &'a str,
    pub(super) jti: &'a str,
    /// Until when it has to be remembered: as long as it would be taken.
    pub(super) until: Timestamp,
}

/// Judges what it claims for `audience_is` at `now`. It costs little, and comes before any key is looked for.
pub(super) fn claims<'a>(
    jwt: &'a Jwt<'_>,
    audience_is: &str,
    now: Timestamp,
) -> Result<Claims<'a>, CredentialFault> {
    let client_id = issuer(jwt)?;
    audience(jwt, audience_is)?;
    let expiry = expiry(jwt, now)?;
    not_before(jwt, now)?;
    let too_far = |_| CredentialFault::TooLong { by_s: expiry };
    let until = Timestamp::from_second(expiry + SKEW_S).map_err(too_far)?;
    Ok(Claims { client_id, jti: jti(jwt)?, until })
}

/// Which key it names. No other header says anything about keys: `jwk`, `x5u` and `x5c` are not looked at.
pub(super) fn key_named(jwt: &Jwt<'_>) -> Result<KeyName, CredentialFault> {
    let algorithm = algorithm(jwt)?;
    token_type(jwt)?;
    critical(jwt)?;
    Ok(KeyName { key_id: key_id(jwt)?.to_owned(), algorithm })
}

/// `iss` and `sub` are the client's id.
pub(super) fn issuer<'a>(jwt: &'a Jwt<'_>) -> Result<&'a str, CredentialFault> {
    let client_id = jwt.claim_text("iss").ok_or(CredentialFault::Issuer)?;
    if jwt.claim_text("sub") == Some(client_id) { Ok(client_id) } else { Err(CredentialFault::Issuer) }
}

/// `aud` is the token endpoint, or holds it.
pub(super) fn audience(jwt: &Jwt<'_>, expected: &str) -> Result<(), CredentialFault> {
    if jwt.is_for(expected) {
        return Ok(());
    }
    let found = match jwt.claim("aud") {
        Some(Value::String(one)) => loggable(one),
        Some(Value::Array(several)) => format!("a list of {}", several.len()),
        Some(_) => "something else than text".to_owned(),
        None => "none".to_owned(),
    };
    Err(CredentialFault::Audience { expected: expected.to_owned(), found })
}

/// `exp` is a number, ahead and not far ahead. Given in seconds since 1970.
pub(super) fn expiry(jwt: &Jwt<'_>, now: Timestamp) -> Result<i64, CredentialFault> {
    let now = now.as_second();
    let expiry = jwt.claim_seconds("exp").ok_or(CredentialFault::NoExpiry)?;
    if expiry <= now - SKEW_S {
        return Err(CredentialFault::Expired { by_s: now.saturating_sub(expiry) });
    }
    if expiry > now + LONGEST_S + SKEW_S {
        return Err(CredentialFault::TooLong { by_s: expiry - now - LONGEST_S });
    }
    Ok(expiry)
}

/// `nbf`, where there is one, is not ahead.
pub(super) fn not_before(jwt: &Jwt<'_>, now: Timestamp) -> Result<(), CredentialFault> {
    if jwt.claim("nbf").is_none() {
        return Ok(());
    }
    let from = jwt.claim_seconds("nbf").ok_or(CredentialFault::NotBefore)?;
    let by_s = from.saturating_sub(now.as_second());
    if by_s > SKEW_S { Err(CredentialFault::NotYet { by_s }) } else { Ok(()) }
}

/// `jti` is there, and short enough to be remembered.
pub(super) fn jti<'a>(jwt: &'a Jwt<'_>) -> Result<&'a str, CredentialFault> {
    let jti = jwt.claim_text("jti").filter(|it| !it.is_empty() && it.len() <= LONGEST_JTI);
    jti.ok_or(CredentialFault::NoJti)
}

/// `alg` is one of ours. Which key it may be used with, the key's type decides.
pub(super) fn algorithm(jwt: &Jwt<'_>) -> Result<Algorithm, CredentialFault> {
    match jwt.header_text("alg") {
        Some("RS384") => Ok(Algorithm::RS384),
        Some("ES384") => Ok(Algorithm::ES384),
        _ => Err(CredentialFault::Algorithm),
    }
}

/// `typ`, where there is one, is that of a plain JWT or of RFC 7523bis: an access token is no assertion.
pub(super) fn token_type(jwt: &Jwt<'_>) -> Result<(), CredentialFault> {
    let known =
        |it: &str| it.eq_ignore_ascii_case("JWT") || it.eq_ignore_ascii_case("client-authentication+jwt");
    match jwt.header("typ") {
        None => Ok(()),
        Some(typ) if typ.as_str().is_some_and(known) => Ok(()),
        Some(_) => Err(CredentialFault::Type),
    }
}

/// We know no critical header (RFC 7515 §4.1.11).
pub(super) fn critical(jwt: &Jwt<'_>) -> Result<(), CredentialFault> {
    if jwt.header("crit").is_none() { Ok(()) } else { Err(CredentialFault::Critical) }
}

/// `kid` is there.
pub(super) fn key_id<'a>(jwt: &'a Jwt<'_>) -> Result<&'a str, CredentialFault> {
    jwt.header_text("kid").ok_or(CredentialFault::NoKeyId)
}

/// `jku`, where there is one, is the registered address. It is compared and never asked.
pub(super) fn key_url(jwt: &Jwt<'_>, registered: Option<&Url>) -> Result<(), CredentialFault> {
    let Some(given) = jwt.header("jku") else { return Ok(()) };
    let given = given.as_str().and_then(|it| Url::parse(it).ok());
    if given.is_some() && given.as_ref() == registered { Ok(()) } else { Err(CredentialFault::KeyUrl) }
}

/// The one key that was named has signed it.
pub(super) fn signature(jwt: &Jwt<'_>, keys: &PublicKeys, named: &KeyName) -> Result<(), CredentialFault> {
    let key = keys.fitting(named).ok_or(CredentialFault::UnknownKey)?;
    if jwt.is_signed_by(key, named.algorithm) { Ok(()) } else { Err(CredentialFault::Signature) }
}

/// Spends the time of a signature where there is no key.
pub(super) fn decoy(jwt: &Jwt<'_>, decoys: &PublicKeys, algorithm: Algorithm) {
    let named = KeyName { key_id: String::new(), algorithm };
    // Nobody has signed with these: there is nothing to learn from the answer.
    let _ = signature(jwt, decoys, &named);
}
