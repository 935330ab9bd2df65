//! The token endpoint and its tokens, rule by rule. Numbers are those of `smartcheck.py`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::testing::{SpentInMemory, ec_jwk, ec_pem, new_ec_pem, rsa_jwk, rsa_pem};
use super::*;
use crate::auth::scope::Interaction;
use crate::model::client::{Client, ClientCredential, ClientRole, SpentAssertions};
use crate::model::clock::TestClock;
use crate::model::ids::PartnerId;
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

const NOW: i64 = 1_800_000_000;
const TOKEN_URL: &str = "https://gateway.example/oauth2/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Endpoint {
    service: TokenService,
    tokens: Arc<AccessTokens>,
    registry: Arc<Registry>,
    clock: Arc<TestClock>,
    spent: Arc<SpentInMemory>,
}

impl Endpoint {
    fn open() -> Self {
        let spent = Arc::new(SpentInMemory::default());
        let (registry, tokens, clock) = parts();
        let service = service(&registry, &tokens, &clock, spent.clone());
        Self { service, tokens, registry, clock, spent }
    }

    async fn ask(&self, form: &[(&str, &str)]) -> Result<IssuedToken, TokenRefusal> {
        self.service.issue(request(form, None)).await
    }

    async fn ask_with(&self, assertion: &str) -> Result<IssuedToken, TokenRefusal> {
        self.ask(&signed_form(assertion)).await
    }

    async fn ask_by_secret(&self, pair: &str, form: &[(&str, &str)]) -> Result<IssuedToken, TokenRefusal> {
        self.service.issue(request(form, Some(&format!("Basic {}", STANDARD.encode(pair))))).await
    }

    async fn assert_refused(&self, assertion: &str, reason: &str) {
        let refusal = self.ask_with(assertion).await.expect_err(reason);

        assert_eq!(refusal.error(), "invalid_client", "{reason}");
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        assert!(refusal.log_reason().contains(reason), "{} is not {reason}", refusal.log_reason());
        assert!(!refusal.log_reason().contains(assertion));
        assert!(!refusal.body().to_string().contains(reason));
    }
}

fn parts() -> (Arc<Registry>, Arc<AccessTokens>, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(Timestamp::from_second(NOW).unwrap()));
    let registry = Arc::new(Registry::new(Clients::check(clients()).unwrap()));
    let key = Sensitive::new([7; 32]);
    let tokens = AccessTokens::new(registry.clone(), &addresses(), &key, clock.clone());
    (registry, Arc::new(tokens), clock)
}

fn service(
    registry: &Arc<Registry>,
    tokens: &Arc<AccessTokens>,
    clock: &Arc<TestClock>,
    spent: Arc<dyn SpentAssertions>,
) -> TokenService {
    TokenService::new(registry.clone(), &addresses(), tokens.clone(), clock.clone(), spent)
}

fn addresses() -> Addresses {
    Addresses::under("https://gateway.example")
}

fn clients() -> Vec<Client> {
    let keys = json!({ "keys": [rsa_jwk("rsa"), ec_jwk("ec")] }).to_string();
    let client =
        |client_id: &str, credential, role| Client { client_id: client_id.to_owned(), credential, role };
    vec![
        client("lakeside", ClientCredential::Keys(keys), partner("lakeside")),
        client("harbor", ClientCredential::Secret(Sensitive::new("hush hush".to_owned())), partner("harbor")),
        client("clinic-ehr", ClientCredential::Keys(jwks("ec")), ClientRole::Clinic),
    ]
}

fn partner(id: &str) -> ClientRole {
    ClientRole::Partner(PartnerId::new(id))
}

fn jwks(key_id: &str) -> String {
    json!({ "keys": [ec_jwk(key_id)] }).to_string()
}

fn request(form: &[(&str, &str)], authorization: Option<&str>) -> TokenRequest {
    let body = Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
    let content_type = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
    let authorization = authorization.map(|it| HeaderValue::from_str(it).unwrap());
    TokenRequest { content_type: Some(content_type), authorization, body }
}

fn signed_form(assertion: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("scope", "system/ServiceRequest.rs"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ]
}

/// An assertion that is good, until something is changed.
struct Assertion {
    header: Value,
    claims: Value,
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Assertion {
    fn good() -> Self {
        Self {
            header: json!({ "alg": "ES384", "kid": "ec", "typ": "JWT" }),
            claims: json!({ "iss": "lakeside", "sub": "lakeside", "aud": TOKEN_URL, "exp": NOW + 300,
                "iat": NOW, "jti": uuid::Uuid::new_v4().to_string() }),
            key: EncodingKey::from_ec_pem(ec_pem().as_bytes()).unwrap(),
            algorithm: Algorithm::ES384,
        }
    }

    fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(rsa_pem().as_bytes()).unwrap();
        Self { key, algorithm: Algorithm::RS384, ..Self::good() }.header("alg", "RS384").header("kid", "rsa")
    }

    fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    fn signed_with(self, key: EncodingKey, algorithm: Algorithm) -> Self {
        Self { key, algorithm, ..self }
    }

    fn text(&self) -> String {
        let signed = self.unsigned();
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }

    fn unsigned(&self) -> String {
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().unwrap();
    if value.is_null() { drop(object.remove(name)) } else { drop(object.insert(name.to_owned(), value)) }
}

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
        (json!(NOW - 60), "exp is past"),
        (json!(NOW - 600), "exp is past"),
        (json!(NOW + 361), "exp is more than"),
        (json!((NOW + 240) * 1000), "exp is more than"),
        (json!(i64::MAX), "exp is more than"),
        (json!((NOW + 240).to_string()), "exp is missing"),
        (json!(1e300), "exp is missing"),
        (Value::Null, "exp is missing"),
    ] {
        endpoint.assert_refused(&Assertion::good().claim("exp", expiry).text(), reason).await;
    }
    endpoint.assert_refused(&Assertion::good().claim("nbf", NOW + 61).text(), "nbf").await;
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

#[tokio::test]
async fn a_request_must_be_whole() {
    let endpoint = Endpoint::open();
    let assertion = Assertion::good().text();
    let changed = |name: &str, value: Option<&'static str>| {
        let mut form = signed_form(&assertion);
        form.retain(|(it, _)| *it != name);
        form.extend(value.map(|it| (name.to_owned().leak() as &str, it)));
        form
    };
    for (form, error) in [
        (changed("grant_type", Some("not_a_grant_type")), "unsupported_grant_type"),
        (changed("grant_type", Some("password")), "unsupported_grant_type"),
        (changed("grant_type", None), "invalid_request"),
        (changed("client_assertion_type", Some("not_an_assertion_type")), "invalid_request"),
        (changed("client_assertion_type", None), "invalid_request"),
        (changed("client_assertion", None), "invalid_request"),
        ([signed_form(&assertion), vec![("scope", "system/Task.rs")]].concat(), "invalid_request"),
    ] {
        let refusal = endpoint.ask(&form).await.unwrap_err();

        assert_eq!((refusal.error(), refusal.status()), (error, StatusCode::BAD_REQUEST));
        assert_eq!(refusal.headers()[CACHE_CONTROL], "no-store");
        assert!(refusal.headers().get(WWW_AUTHENTICATE).is_none());
        assert!(refusal.body()["error_description"].is_string());
    }
    endpoint.ask_with(&assertion).await.expect("a refused request does not use up its assertion");
}

#[tokio::test]
async fn scopes_are_asked_for_and_narrowed() {
    let endpoint = Endpoint::open();
    let ask = async |scope: Option<&str>| {
        let assertion = Assertion::good().text();
        let mut form = signed_form(&assertion);
        form.retain(|(name, _)| *name != "scope");
        form.extend(scope.map(|it| ("scope", it)));
        endpoint.ask(&form).await
    };

    let narrowed = ask(Some("system/ServiceRequest.read system/Patient.cruds")).await.unwrap();
    assert_eq!(narrowed.scopes.to_string(), "system/ServiceRequest.read");
    for scope in ["system/Patient.cruds", "system/NoSuchType.rs", "give-me-all", "system/ServiceRequest.sr"] {
        let refusal = ask(Some(scope)).await.unwrap_err();
        assert_eq!((refusal.error(), refusal.status()), ("invalid_scope", StatusCode::BAD_REQUEST));
    }
    let refusal = ask(None).await.unwrap_err();
    assert_eq!((refusal.error(), refusal.status()), ("invalid_request", StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn a_secret_in_basic_is_taken_and_may_leave_the_scope_out() {
    let endpoint = Endpoint::open();
    let form = [("grant_type", "client_credentials")];

    let issued = endpoint.ask_by_secret("harbor:hush+hush", &form).await.unwrap();

    assert_eq!(issued.client_id, "harbor");
    assert!(issued.scopes.to_string().contains("system/ServiceRequest.cruds"));
    let caller = endpoint.tokens.verify(Some(&bearer(&issued))).unwrap();
    assert!(caller.may(Interaction::Create, "Task"));
    assert!(!caller.may(Interaction::Create, "Subscription"));
}

#[tokio::test]
async fn a_wrong_secret_looks_like_an_unknown_client() {
    let endpoint = Endpoint::open();
    let form = [("grant_type", "client_credentials")];
    let mut bodies = Vec::new();
    for (pair, reason) in [
        ("harbor:wrong-secret", "the secret is wrong"),
        ("nobody:wrong-secret", "not registered"),
        ("lakeside:wrong-secret", "not registered"),
        ("harbor:", "the secret is wrong"),
    ] {
        let refusal = endpoint.ask_by_secret(pair, &form).await.unwrap_err();

        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        assert!(refusal.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));
        assert!(refusal.log_reason().contains(reason));
        assert!(!format!("{refusal:?}{}", refusal.log_reason()).contains("wrong-secret"));
        bodies.push(refusal.body());
    }
    assert!(bodies.windows(2).all(|it| it[0] == it[1]));
}

#[tokio::test]
async fn one_way_of_authentication_and_only_the_offered_ones() {
    let endpoint = Endpoint::open();
    let assertion = Assertion::good().text();

    let both = endpoint.ask_by_secret("harbor:hush+hush", &signed_form(&assertion)).await.unwrap_err();
    assert_eq!(both.error(), "invalid_request");
    let in_body =
        [("grant_type", "client_credentials"), ("client_id", "harbor"), ("client_secret", "hush hush")];
    assert_eq!(endpoint.ask(&in_body).await.unwrap_err().error(), "invalid_client");
    assert_eq!(endpoint.ask(&in_body[..1]).await.unwrap_err().error(), "invalid_client");
    let as_bearer = request(&in_body[..1], Some(&format!("Bearer {assertion}")));
    assert_eq!(endpoint.service.issue(as_bearer).await.unwrap_err().error(), "invalid_client");
    let other = [("grant_type", "client_credentials"), ("client_id", "lakeside")];
    let other = endpoint.ask_by_secret("harbor:hush+hush", &other).await.unwrap_err();
    assert_eq!(other.error(), "invalid_client");
}

#[tokio::test]
async fn a_log_line_cannot_be_forged_by_a_client_id() {
    let endpoint = Endpoint::open();
    let evil = format!("x\n2026-01-01 INFO granted {}", "y".repeat(500));
    let assertion = Assertion::good().claim("iss", evil.as_str()).claim("sub", evil.as_str());

    let reason = endpoint.ask_with(&assertion.text()).await.unwrap_err().log_reason();

    assert!(!reason.contains('\n') && reason.len() < 250, "{reason}");
    assert!(reason.ends_with("kid=ec"));
}

struct NoStore;

#[async_trait]
impl SpentAssertions for NoStore {
    async fn spend(&self, _: &str, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError::Busy)
    }
}

#[tokio::test]
async fn without_the_store_no_assertion_is_taken() {
    let (registry, tokens, clock) = parts();
    let service = service(&registry, &tokens, &clock, Arc::new(NoStore));

    let assertion = Assertion::good().text();
    let refusal = service.issue(request(&signed_form(&assertion), None)).await.unwrap_err();

    assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE);
}

fn bearer(issued: &IssuedToken) -> String {
    format!("Bearer {}", issued.access_token.reveal())
}

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
