//! An assertion, judged check by check in words: the same checks as at the token endpoint, none left out after the first
//! that fails.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::assertion;
use super::fault::CredentialFault;
use super::jwks::PublicKeys;
use super::jwt::Jwt;
use super::published::KeyName;
use super::refusal::loggable;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: the name of a header or claim, or a word of ours.
    pub name: &'static str,
    /// What it is, in words; an error is what the token endpoint would refuse it for.
    pub outcome: Result<String, String>,
}

/// What an assertion is judged by.
pub struct Bench<'a> {
    /// The client that is expected.
    pub client_id: &'a str,
    /// Our token endpoint.
    pub token_endpoint: &'a str,
    /// The registered JWKS URL, where there is one.
    pub jwks_url: Option<&'a Url>,
    /// The client's keys, or why there are none.
    pub keys: Result<&'a PublicKeys, String>,
    /// The time at which it is judged.
    pub now: Timestamp,
}

/// An assertion, judged in everything but one: whether it was used before.
#[derive(Debug)]
pub struct Diagnosis {
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// Its id, by which it is remembered once it was used.
    pub jti: Option<String>,
}

/// Judges an assertion.
pub fn diagnose(assertion: &str, bench: &Bench<'_>) -> Diagnosis {
    let Some(jwt) = Jwt::read(assertion) else {
        let fault = CredentialFault::NotAJwt.to_string();
        return Diagnosis { checks: vec![Check { name: "form", outcome: Err(fault) }], jti: None };
    };
    let text = |name: &str| loggable(jwt.header_text(name).unwrap_or_default());
    let ahead = |it: i64| format!("ahead by {} s", it - bench.now.as_second());
    let checks = vec![
        check("form", Ok("a JWT".to_owned())),
        check("alg", assertion::algorithm(&jwt).map(|_| text("alg"))),
        check("typ", assertion::token_type(&jwt).map(|()| told(jwt.header("typ")))),
        check("crit", assertion::critical(&jwt).map(|()| "none".to_owned())),
        check("kid", assertion::key_id(&jwt).map(loggable)),
        check("jku", assertion::key_url(&jwt, bench.jwks_url).map(|()| told(jwt.header("jku")))),
        issuer(&jwt, bench.client_id),
        check(
            "aud",
            assertion::audience(&jwt, bench.token_endpoint).map(|()| "our token endpoint".to_owned()),
        ),
        check("exp", assertion::expiry(&jwt, bench.now).map(ahead)),
        check("nbf", assertion::not_before(&jwt, bench.now).map(|()| told(jwt.claim("nbf")))),
        check("jti", assertion::jti(&jwt).map(loggable)),
        signature(&jwt, bench),
    ];
    Diagnosis { checks, jti: assertion::jti(&jwt).ok().map(str::to_owned) }
}

fn check(name: &'static str, outcome: Result<String, CredentialFault>) -> Check {
    Check { name, outcome: outcome.map_err(|it| it.to_string()) }
}

fn issuer(jwt: &Jwt<'_>, expected: &str) -> Check {
    let outcome = match assertion::issuer(jwt) {
        Ok(found) if found == expected => Ok(loggable(found)),
        Ok(found) => Err(format!("iss is {}, and not {expected}", loggable(found))),
        Err(fault) => Err(fault.to_string()),
    };
    Check { name: "iss, sub", outcome }
}

fn signature(jwt: &Jwt<'_>, bench: &Bench<'_>) -> Check {
    let named = assertion::algorithm(jwt)
        .and_then(|algorithm| Ok(KeyName { key_id: assertion::key_id(jwt)?.to_owned(), algorithm }));
    let outcome = match (named, &bench.keys) {
        (Err(_), _) => Err("cannot be checked without alg and kid".to_owned()),
        (Ok(_), Err(why)) => Err(format!("cannot be checked: {why}")),
        (Ok(named), Ok(keys)) => match assertion::signature(jwt, keys, &named) {
            Ok(()) => Ok("good".to_owned()),
            Err(CredentialFault::UnknownKey) => {
                Err(format!("{}; there are {}", CredentialFault::UnknownKey, names(keys)))
            }
            Err(fault) => Err(fault.to_string()),
        },
    };
    Check { name: "signature", outcome }
}

/// The names of keys, for people.
pub fn names(keys: &PublicKeys) -> String {
    let names: Vec<String> =
        keys.names().map(|it| format!("{} ({:?})", loggable(&it.key_id), it.algorithm)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn told(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), |it| loggable(it.as_str().unwrap_or(&it.to_string())))
}
