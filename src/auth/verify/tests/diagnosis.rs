//! Assertions, judged check by check.

use super::*;

fn keys() -> PublicKeys {
    check_jwks(&json!({ "keys": [rsa_jwk("rsa"), ec_jwk("ec")] }).to_string()).unwrap()
}

/// What fails, by the check's name, with its words.
fn faults(assertion: &str) -> Vec<(&'static str, String)> {
    let keys = keys();
    diagnosis(assertion, Ok(&keys))
        .checks
        .into_iter()
        .filter_map(|it| Some((it.name, it.outcome.err()?)))
        .collect()
}

fn diagnosis(assertion: &str, keys: Result<&PublicKeys, String>) -> Diagnosis {
    let now = Timestamp::from_second(NOW).unwrap();
    let bench = Bench { client_id: "lakeside", token_endpoint: TOKEN_URL, jwks_url: None, keys, now };
    diagnose(assertion, &bench)
}

#[test]
fn a_good_assertion_passes_every_check_and_is_told_in_words() {
    let keys = keys();
    let diagnosis = diagnosis(&Assertion::good().claim("jti", "one").text(), Ok(&keys));

    let told: Vec<_> = diagnosis.checks.iter().map(|it| (it.name, it.outcome.clone().unwrap())).collect();
    let told: Vec<_> = told.iter().map(|(name, words)| (*name, words.as_str())).collect();
    assert_eq!(
        told,
        [
            ("form", "a JWT"),
            ("alg", "ES384"),
            ("typ", "JWT"),
            ("crit", "none"),
            ("kid", "ec"),
            ("jku", "none"),
            ("iss, sub", "lakeside"),
            ("aud", "our token endpoint"),
            ("exp", "ahead by 300 s"),
            ("nbf", "none"),
            ("jti", "one"),
            ("signature", "good"),
        ]
    );
    assert_eq!(diagnosis.jti.as_deref(), Some("one"));
}

#[test]
fn each_fault_is_told_by_its_own_check() {
    let good = Assertion::good;
    for (assertion, check, words) in [
        (good().header("alg", "RS512"), "alg", "alg is not RS384 or ES384"),
        (good().header("typ", "at+jwt"), "typ", "typ is not JWT"),
        (good().header("crit", json!(["x"])), "crit", "crit names what we do not know"),
        (good().header("kid", Value::Null), "kid", "kid is missing"),
        (good().header("jku", "https://evil.example"), "jku", "jku is given"),
        (good().claim("sub", "other"), "iss, sub", "iss is missing or not sub"),
        (good().claim("iss", "hill").claim("sub", "hill"), "iss, sub", "iss is hill, and not lakeside"),
        (
            good().claim("aud", "https://a.example/"),
            "aud",
            "expected https://gateway.example/oauth2/token, found https://a.example/",
        ),
        (good().claim("exp", NOW - 90), "exp", "exp is past by 90 s"),
        (good().claim("exp", NOW + 3600), "exp", "by 3300 s"),
        (good().claim("nbf", NOW + 90), "nbf", "nbf is ahead by 90 s"),
        (good().claim("jti", ""), "jti", "jti is missing"),
    ] {
        let faults = faults(&assertion.text());
        let told = faults.iter().find(|(name, _)| *name == check).map(|(_, words)| words.as_str());
        assert!(told.is_some_and(|it| it.contains(words)), "{check}: {faults:?}");
    }
}

#[test]
fn several_faults_are_told_at_once() {
    let wrong = Assertion::good().claim("aud", 1).claim("exp", NOW - 600).header("kid", "k9").text();

    let names: Vec<_> = faults(&wrong).into_iter().map(|(name, _)| name).collect();

    assert_eq!(names, ["aud", "exp", "signature"]);
}

#[test]
fn what_keeps_a_signature_from_being_checked_is_told() {
    let missing = faults(&Assertion::good().header("kid", "k9").text());
    assert!(missing[0].1.ends_with("there are rsa (RS384), ec (ES384)"), "{missing:?}");
    let other = EncodingKey::from_ec_pem(new_ec_pem().as_bytes()).unwrap();
    let forged = faults(&Assertion::good().signed_with(other, Algorithm::ES384).text());
    assert_eq!(forged, [("signature", "the signature is wrong".to_owned())]);

    let unread = diagnosis(&Assertion::good().text(), Err("the server answered 404".to_owned()));
    let last = unread.checks.last().unwrap().outcome.clone();
    assert_eq!(last.unwrap_err(), "cannot be checked: the server answered 404");
}

#[test]
fn what_is_no_jwt_is_told_as_such_and_nothing_is_quoted_raw() {
    assert_eq!(faults("abc"), [("form", "the assertion is not a JWT".to_owned())]);
    let wild = faults(&Assertion::good().claim("aud", "\u{1b}[31m\nforged line").text());
    assert!(wild[0].1.ends_with("found ??31m?forged?line"), "{wild:?}");
}
