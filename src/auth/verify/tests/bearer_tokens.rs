//! Which access tokens open a door.

use super::*;

#[tokio::test]
async fn what_is_not_our_token_opens_nothing() {
    let endpoint = Endpoint::open();
    let issued = endpoint.ask_with(&Assertion::good().text()).await.unwrap();
    let good = bearer(&issued);
    let verify = |header: &str| endpoint.tokens.verify(Some(header)).unwrap_err();

    assert_eq!(endpoint.tokens.verify(None).unwrap_err(), BearerRefusal::Missing);
    assert_eq!(verify("Basic YTpi"), BearerRefusal::NotBearer);
    assert_eq!(verify("Bearer"), BearerRefusal::NotBearer);
    assert_eq!(verify("Bearer abc.def.ghi"), BearerRefusal::NotOurs);
    assert_eq!(verify(&format!("{}AAA", &good[..good.len() - 3])), BearerRefusal::NotOurs);
    assert_eq!(verify(&format!("Bearer {}", Assertion::good().text())), BearerRefusal::NotOurs);
    assert!(endpoint.tokens.verify(Some(&good.replace("Bearer", "bearer"))).is_ok());
    assert!(BearerRefusal::Missing.www_authenticate().to_str().unwrap().starts_with("Bearer"));
}

#[tokio::test]
async fn a_token_of_another_gateway_or_type_opens_nothing() {
    let endpoint = Endpoint::open();
    let forge = |header: Value, claims: Value, key: [u8; 32]| {
        let forged = Assertion { header, claims, ..Assertion::good() };
        forged.signed_with(EncodingKey::from_secret(&key), Algorithm::HS256).text()
    };
    let header = || json!({ "alg": "HS256", "typ": "at+jwt" });
    let claims = || {
        json!({ "iss": "https://gateway.example", "sub": "lakeside", "aud": "https://gateway.example/fhir",
            "exp": NOW + 300, "scope": "system/Task.rs" })
    };
    let changed = |mut object: Value, name: &str, value: &str| {
        object[name] = json!(value);
        object
    };
    let verify = |token: String| endpoint.tokens.verify(Some(&format!("Bearer {token}"))).is_ok();

    assert!(verify(forge(header(), claims(), [7; 32])), "the forger knows the form");
    assert!(!verify(forge(header(), claims(), [8; 32])));
    assert!(!verify(forge(changed(header(), "typ", "JWT"), claims(), [7; 32])));
    assert!(!verify(forge(changed(header(), "alg", "none"), claims(), [7; 32])));
    assert!(!verify(forge(header(), changed(claims(), "aud", "https://other.example/fhir"), [7; 32])));
    assert!(!verify(forge(header(), changed(claims(), "iss", "https://other.example"), [7; 32])));
    assert!(!verify(forge(header(), changed(claims(), "exp", "never"), [7; 32])));
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_with_its_client() {
    let endpoint = Endpoint::open();
    let issued = endpoint.ask_with(&Assertion::good().text()).await.unwrap();

    endpoint.clock.advance(Duration::from_secs(299));
    assert!(endpoint.tokens.verify(Some(&bearer(&issued))).is_ok());
    let others = clients().into_iter().filter(|it| it.client_id != "lakeside").collect();
    endpoint.registry.replace(Clients::check(others).unwrap());
    assert_eq!(endpoint.tokens.verify(Some(&bearer(&issued))), Err(BearerRefusal::UnknownClient));
    endpoint.clock.advance(Duration::from_secs(1));
    assert_eq!(endpoint.tokens.verify(Some(&bearer(&issued))), Err(BearerRefusal::Expired));
}
