//! Client authentication by a signed assertion.
//!
//! Source: RFC 7523 §3; SMART App Launch 2.2, client-confidential-asymmetric; smart.md section 3.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;

use super::clients::Clients;
use super::fault::CredentialFault;
use super::jwt::Jwt;

/// How far two clocks may differ, on both ends of a lifetime, in seconds.
const SKEW_S: i64 = 60;

/// The longest lifetime of an assertion, in seconds.
const LONGEST_S: i64 = 300;

/// The longest `jti` that we remember, in bytes.
const LONGEST_JTI: usize = 255;

/// An assertion that is good in everything but one: whether it was used before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) client_id: String,
    pub(super) jti: String,
    /// Until when it has to be remembered: as long as it would be taken.
    pub(super) until: Timestamp,
}

/// Judges an assertion for `audience` at `now`.
pub(super) fn verify(
    jwt: &Jwt<'_>,
    clients: &Clients,
    audience: &str,
    now: Timestamp,
) -> Result<Verified, CredentialFault> {
    let client_id = jwt.claim_text("iss").ok_or(CredentialFault::Issuer)?;
    if jwt.claim_text("sub") != Some(client_id) {
        return Err(CredentialFault::Issuer);
    }
    signature(jwt, clients, client_id)?;
    if !jwt.is_for(audience) {
        return Err(CredentialFault::Audience);
    }
    let expiry = lifetime(jwt, now.as_second())?;
    let jti = jwt.claim_text("jti").filter(|it| !it.is_empty() && it.len() <= LONGEST_JTI);
    let until = Timestamp::from_second(expiry + SKEW_S).map_err(|_| CredentialFault::TooLong)?;
    Ok(Verified {
        client_id: client_id.to_owned(),
        jti: jti.ok_or(CredentialFault::NoJti)?.to_owned(),
        until,
    })
}

fn signature(jwt: &Jwt<'_>, clients: &Clients, client_id: &str) -> Result<(), CredentialFault> {
    let algorithm = algorithm(jwt)?;
    if jwt.header("jku").is_some() {
        return Err(CredentialFault::KeyUrl);
    }
    if jwt.header("crit").is_some() {
        return Err(CredentialFault::Critical);
    }
    let key_id = jwt.header_text("kid").ok_or(CredentialFault::NoKeyId)?;
    let keys = clients.keys_of(client_id);
    let Some(key) = keys.and_then(|it| it.fitting(key_id, algorithm)) else {
        let decoy = clients.decoy_keys().fitting("", algorithm).expect("there is a decoy for each algorithm");
        jwt.is_signed_by(decoy, algorithm);
        return Err(keys.map_or(CredentialFault::UnknownClient, |_| CredentialFault::UnknownKey));
    };
    if jwt.is_signed_by(key, algorithm) { Ok(()) } else { Err(CredentialFault::Signature) }
}

fn algorithm(jwt: &Jwt<'_>) -> Result<Algorithm, CredentialFault> {
    match jwt.header_text("alg") {
        Some("RS384") => Ok(Algorithm::RS384),
        Some("ES384") => Ok(Algorithm::ES384),
        _ => Err(CredentialFault::Algorithm),
    }
}

fn lifetime(jwt: &Jwt<'_>, now: i64) -> Result<i64, CredentialFault> {
    let expiry = jwt.claim_seconds("exp").ok_or(CredentialFault::NoExpiry)?;
    if expiry <= now - SKEW_S {
        return Err(CredentialFault::Expired);
    }
    if expiry > now + LONGEST_S + SKEW_S {
        return Err(CredentialFault::TooLong);
    }
    let early = |from: i64| from > now + SKEW_S;
    if jwt.claim("nbf").is_some() && jwt.claim_seconds("nbf").is_none_or(early) {
        return Err(CredentialFault::NotYet);
    }
    Ok(expiry)
}
