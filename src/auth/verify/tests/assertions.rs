//! Which assertions are taken.

use super::*;

#[tokio::test]
async fn a_good_assertion_gives_a_token_that_opens_the_door() {
    let endpoint = Endpoint::open();

    for assertion in [Assertion::good(), Assertion::rsa()] {
        let issued = endpoint.ask_with(&assertion.text()).await.unwrap();

        let body = issued.body();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(300)));
        assert_eq!(body["scope"], "system/ServiceRequest.rs");
        assert!(body.get("refresh_token").is_none());
        assert_eq!(issued.headers()[CACHE_CONTROL], "no-store");
        let caller = endpoint.tokens.verify(Some(&bearer(&issued))).unwrap();
        assert_eq!((caller.client_id.as_str(), &caller.role), ("lakeside", &partner("lakeside")));
        assert!(caller.may(Interaction::Search, "ServiceRequest"));
        assert!(!caller.may(Interaction::Create, "ServiceRequest"));
        assert!(!caller.may(Interaction::Search, "Patient"));
        assert!(!format!("{issued:?}").contains(body["access_token"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_the_rules_leave_open_is_taken() {
    let endpoint = Endpoint::open();
    for assertion in [
        Assertion::good().claim("iat", Value::Null),
        Assertion::good().claim("aud", json!([TOKEN_URL])),
        Assertion::good().claim("aud", json!(["https://other.example", TOKEN_URL])),
        Assertion::good().header("typ", Value::Null),
        Assertion::good().header("typ", "jwt"),
        Assertion::good().header("typ", "client-authentication+jwt"),
        Assertion::good().claim("exp", NOW + 360),
        Assertion::good().claim("exp", NOW - 59),
        Assertion::good().claim("exp", 1_800_000_200.5),
        Assertion::good().claim("nbf", NOW + 60),
        Assertion::good().header("jwk", json!({ "kty": "EC" })).header("x5u", "https://evil.example"),
    ] {
        endpoint.ask_with(&assertion.text()).await.unwrap_or_else(|it| panic!("{}", it.log_reason()));
    }
}

#[tokio::test]
async fn the_audience_must_be_the_token_endpoint() {
    let endpoint = Endpoint::open();
    for audience in [
        json!("https://evil.example/token"),
        json!("https://gateway.example/fhir"),
        json!("https://gateway.example/oauth2/token/"),
        json!(["https://evil.example/token"]),
        json!([]),
        json!(1),
        Value::Null,
    ] {
        let assertion = Assertion::good().claim("aud", audience).text();
        endpoint.assert_refused(&assertion, "aud is not").await;
    }
}

#[tokio::test]
async fn the_lifetime_must_be_a_number_ahead_and_short() {
    let endpoint = Endpoint::open();
    for (expiry, reason) in [
        (json!(NOW - 60), "exp is past by 60 s"),
        (json!(NOW - 600), "exp is past by 600 s"),
        (json!(NOW + 361), "exp is more than five minutes ahead, by 61 s"),
        (json!((NOW + 240) * 1000), "exp is more than"),
        (json!(i64::MAX), "exp is more than"),
        (json!((NOW + 240).to_string()), "exp is missing"),
        (json!(1e300), "exp is missing"),
        (Value::Null, "exp is missing"),
    ] {
        endpoint.assert_refused(&Assertion::good().claim("exp", expiry).text(), reason).await;
    }
    endpoint.assert_refused(&Assertion::good().claim("nbf", NOW + 61).text(), "nbf is ahead by 61 s").await;
    endpoint.assert_refused(&Assertion::good().claim("nbf", "soon").text(), "nbf").await;
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let endpoint = Endpoint::open();
    let first = Assertion::good().claim("jti", "one").text();
    endpoint.ask_with(&first).await.unwrap();

    endpoint.assert_refused(&first, "used before").await;
    let signed_anew = Assertion::good().claim("jti", "one").claim("exp", NOW + 200).text();
    endpoint.assert_refused(&signed_anew, "used before").await;
    let others = Assertion::good().claim("jti", "one").claim("iss", "clinic-ehr").claim("sub", "clinic-ehr");
    endpoint.ask_with(&others.text()).await.unwrap();

    let spent = endpoint.spent.0.lock().unwrap();
    let until = spent[&("lakeside".to_owned(), "one".to_owned())];
    assert_eq!(until.as_second(), NOW + 260, "remembered as long as it would be taken");
}

#[tokio::test]
async fn of_many_uses_at_once_one_succeeds() {
    let endpoint = Arc::new(Endpoint::open());
    let assertion = Assertion::good().text();

    let uses: Vec<_> = (0..8)
        .map(|_| {
            let (endpoint, assertion) = (endpoint.clone(), assertion.clone());
            tokio::spawn(async move { endpoint.ask_with(&assertion).await.is_ok() })
        })
        .collect();
    let mut good = 0;
    for one in uses {
        good += usize::from(one.await.unwrap());
    }

    assert_eq!(good, 1);
}

#[tokio::test]
async fn an_assertion_has_a_jti() {
    let endpoint = Endpoint::open();
    for jti in [Value::Null, json!(""), json!(7), json!("x".repeat(256))] {
        endpoint.assert_refused(&Assertion::good().claim("jti", jti).text(), "jti is missing").await;
    }
}

#[tokio::test]
async fn the_signature_must_be_the_clients() {
    let endpoint = Endpoint::open();
    let other = || EncodingKey::from_ec_pem(new_ec_pem().as_bytes()).unwrap();
    let forged = Assertion::good().signed_with(other(), Algorithm::ES384).claim("jti", "mine");

    endpoint.assert_refused(&forged.text(), "the signature").await;
    let (good, changed) = (Assertion::good().text(), Assertion::good().unsigned());
    let signature = good.rsplit_once('.').unwrap().1;
    endpoint.assert_refused(&format!("{changed}.{signature}"), "the signature").await;
    endpoint.assert_refused(&format!("{}.", Assertion::good().unsigned()), "the signature").await;

    assert!(endpoint.spent.0.lock().unwrap().is_empty(), "a forger must not use up the client's ids");
    endpoint.ask_with(&Assertion::good().claim("jti", "mine").text()).await.unwrap();
}

#[tokio::test]
async fn the_key_type_decides_the_algorithm() {
    let endpoint = Endpoint::open();
    for algorithm in ["none", "nOnE", "RS256", "ES256", "PS384", ""] {
        endpoint.assert_refused(&Assertion::good().header("alg", algorithm).text(), "alg is not").await;
    }
    endpoint.assert_refused(&format!("{}.", Assertion::good().header("alg", "none").unsigned()), "alg").await;
    let secret = EncodingKey::from_secret(ec_pem().as_bytes());
    let confused = Assertion::good().header("alg", "HS384").signed_with(secret, Algorithm::HS384);
    endpoint.assert_refused(&confused.text(), "alg is not").await;
    endpoint.assert_refused(&Assertion::rsa().header("alg", "ES384").text(), "no registered key").await;
    endpoint.assert_refused(&Assertion::good().header("alg", "RS384").text(), "no registered key").await;
}

#[tokio::test]
async fn the_key_is_named_by_kid_and_by_nothing_else() {
    let endpoint = Endpoint::open();
    endpoint.assert_refused(&Assertion::good().header("kid", "other").text(), "no registered key").await;
    endpoint.assert_refused(&Assertion::good().header("kid", Value::Null).text(), "kid is missing").await;
    let with_url = Assertion::good().header("jku", "http://127.0.0.1:1/jwks.json");
    endpoint.assert_refused(&with_url.text(), "jku").await;
    endpoint.assert_refused(&Assertion::good().header("crit", json!(["x"])).text(), "crit").await;
    for typ in [json!("at+jwt"), json!(""), json!(1)] {
        endpoint.assert_refused(&Assertion::good().header("typ", typ).text(), "typ is not").await;
    }
    let key = EncodingKey::from_ec_pem(new_ec_pem().as_bytes()).unwrap();
    let embedded = Assertion::good().header("kid", "evil").header("jwk", ec_jwk("evil"));
    endpoint.assert_refused(&embedded.signed_with(key, Algorithm::ES384).text(), "no registered key").await;
}

#[tokio::test]
async fn iss_sub_and_client_id_are_one_registered_client() {
    let endpoint = Endpoint::open();
    let unknown = Assertion::good().claim("iss", "nobody").claim("sub", "nobody");
    endpoint.assert_refused(&unknown.text(), "not registered").await;
    let secret_client = Assertion::good().claim("iss", "harbor").claim("sub", "harbor");
    endpoint.assert_refused(&secret_client.text(), "not registered").await;
    endpoint.assert_refused(&Assertion::good().claim("sub", "other").text(), "iss is missing").await;
    endpoint.assert_refused(&Assertion::good().claim("iss", Value::Null).text(), "iss is missing").await;
    endpoint.assert_refused(&Assertion::good().claim("sub", Value::Null).text(), "iss is missing").await;

    let assertion = Assertion::good().text();
    let mut form = signed_form(&assertion);
    form.push(("client_id", "harbor"));
    assert_eq!(endpoint.ask(&form).await.unwrap_err().error(), "invalid_client");

    let assertion = Assertion::good().text();
    let mut form = signed_form(&assertion);
    form.push(("client_id", "lakeside"));
    assert!(endpoint.ask(&form).await.is_ok());
}

#[tokio::test]
async fn what_is_not_a_jwt_is_refused() {
    let endpoint = Endpoint::open();
    let dots = ".".repeat(10_000);
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES384","alg":"none"}"#);
    let twice = format!("{twice}.e30.e30");
    for text in ["abc", "!!.??.**", "a.b", dots.as_str(), "W10.W10.W10", "e30.e30.e30.e30", &twice] {
        endpoint.assert_refused(text, "authentication: ").await;
    }
}
