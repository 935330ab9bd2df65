//! Asking at a real token endpoint on the loopback interface.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

use super::*;
use crate::auth::keys;
use crate::auth::keys::ring::Change;
use crate::auth::verify::testing::{
    SpentInMemory, Unpublished, ec_jwk, ec_pem, new_p256_pem, rsa_jwk, rsa_pem, serve,
};
use crate::auth::verify::{AccessTokens, Addresses, Clients, Registry, TokenRequest, TokenService};
use crate::model::client::{Client, ClientCredential, ClientRole};
use crate::model::clock::{Clock as _, TestClock};
use crate::model::partner::{SecretPlace, SigningAlgorithm, TokenGrant};
use crate::model::sensitive::Sensitive;

/// A token endpoint that answers as it is told and remembers what it was asked.
#[derive(Clone)]
struct Endpoint {
    url: Url,
    asked: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Endpoint {
    async fn answering(answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
        let seen = asked.clone();
        let handler = post(async move |headers: HeaderMap, body: String| {
            let count = {
                let mut seen = seen.lock().unwrap();
                seen.push((headers, body));
                seen.len()
            };
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer(count)
        });
        tokio::spawn(serve(listener, Router::new().route("/token", handler)));
        Self { url, asked }
    }

    /// Numbered tokens, good for 300 s.
    async fn granting() -> Self {
        Self::answering(|count| {
            json_answer(
                &json!({ "access_token": format!("t{count}"), "token_type": "Bearer", "expires_in": 300 }),
            )
        })
        .await
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn form(&self, place: usize) -> Vec<(String, String)> {
        form_urlencoded::parse(self.asked.lock().unwrap()[place].1.as_bytes()).into_owned().collect()
    }

    fn grant(&self) -> TokenGrant {
        let scope = "system/Task.rs system/ServiceRequest.c".to_owned();
        let client_id = "gate:way".to_owned();
        TokenGrant { token_url: self.url.clone(), client_id, scope, audience: None, form: Vec::new() }
    }

    fn by_secret(&self) -> Credentials {
        let place = SecretPlace::Basic;
        Credentials::ClientSecret { grant: self.grant(), client_secret: secret("s3cret&"), place }
    }

    fn by_key(&self, pem: &str, algorithm: SigningAlgorithm) -> Credentials {
        let private_key = Sensitive::new(pem.as_bytes().to_vec());
        let key = OwnKey::Given { private_key, key_id: "k1".to_owned(), algorithm };
        Credentials::PrivateKeyJwt { grant: self.grant(), key }
    }
}

fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn json_answer(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(Timestamp::from_second(1_800_000_000).unwrap()))
}

fn http() -> reqwest::Client {
    // Another test may have been first; then there is a provider, which is all we need.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn source(credentials: &Credentials, clock: &Arc<TestClock>) -> Arc<dyn TokenSource> {
    token_source(credentials, clock.clone(), http(), None).unwrap()
}

async fn header(source: &Arc<dyn TokenSource>) -> String {
    let header = source.authorization().await.unwrap().unwrap();
    assert!(header.is_sensitive());
    header.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn fixed_credentials_are_sent_as_they_are() {
    let basic = Credentials::Basic { username: "clinic".to_owned(), password: secret("p:w") };

    assert_eq!(source(&Credentials::None, &clock()).authorization().await, Ok(None));
    assert_eq!(header(&source(&Credentials::Bearer(secret("abc")), &clock())).await, "Bearer abc");
    let expected = format!("Basic {}", STANDARD.encode("clinic:p:w"));
    assert_eq!(header(&source(&basic, &clock())).await, expected);
}

#[tokio::test]
async fn credentials_that_cannot_work_are_refused_at_once() {
    let problem = |credentials| token_source(&credentials, clock(), http(), None).err().unwrap();
    let endpoint = Endpoint::granting().await;

    assert_eq!(problem(Credentials::Bearer(secret("a\nb"))), CredentialsProblem::NotAHeader);
    let basic = Credentials::Basic { username: "a:b".to_owned(), password: secret("x") };
    assert_eq!(problem(basic), CredentialsProblem::ColonInName);
    let key = OwnKey::InTurn(SigningAlgorithm::Es384);
    let nowhere = Credentials::PrivateKeyJwt { grant: endpoint.grant(), key };
    assert_eq!(problem(nowhere), CredentialsProblem::NoFolder);
    let key = endpoint.by_key("nothing", SigningAlgorithm::Es384);
    assert!(matches!(problem(key), CredentialsProblem::Key(_)));
}

#[tokio::test]
async fn a_client_secret_goes_by_basic_and_not_in_the_body() {
    let endpoint = Endpoint::granting().await;

    assert_eq!(header(&source(&endpoint.by_secret(), &clock())).await, "Bearer t1");

    let (headers, body) = endpoint.asked.lock().unwrap()[0].clone();
    let pair = STANDARD.decode(headers[AUTHORIZATION].to_str().unwrap().strip_prefix("Basic ").unwrap());
    assert_eq!(pair.unwrap(), b"gate%3Away:s3cret%26");
    assert_eq!(headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert!(!body.contains("s3cret"));
    let form = endpoint.form(0);
    assert!(form.contains(&("grant_type".to_owned(), "client_credentials".to_owned())));
    assert!(form.contains(&("scope".to_owned(), "system/Task.rs system/ServiceRequest.c".to_owned())));
}

#[tokio::test]
async fn a_client_secret_goes_in_the_form_where_the_server_wants_it_there() {
    let endpoint = Endpoint::granting().await;
    let client_secret = secret("s3cret&");
    let place = SecretPlace::Form;
    let credentials = Credentials::ClientSecret { grant: endpoint.grant(), client_secret, place };

    assert_eq!(header(&source(&credentials, &clock())).await, "Bearer t1");

    assert!(endpoint.asked.lock().unwrap()[0].0.get(AUTHORIZATION).is_none());
    let form = endpoint.form(0);
    assert!(form.contains(&("client_id".to_owned(), "gate:way".to_owned())));
    assert!(form.contains(&("client_secret".to_owned(), "s3cret&".to_owned())));
}

#[tokio::test]
async fn an_assertion_has_the_audience_and_algorithm_and_the_form_has_the_fields_that_a_server_wants() {
    for (pem, algorithm, alg) in [
        (rsa_pem(), SigningAlgorithm::Rs256, "RS256"),
        (new_p256_pem(), SigningAlgorithm::Es256, "ES256"),
        (rsa_pem(), SigningAlgorithm::Rs384, "RS384"),
    ] {
        let endpoint = Endpoint::granting().await;
        let Credentials::PrivateKeyJwt { mut grant, key } = endpoint.by_key(&pem, algorithm) else {
            panic!()
        };
        grant.audience = Some("https://identity.example/".to_owned());
        grant.form = vec![("resource".to_owned(), secret("r 1"))];

        header(&source(&Credentials::PrivateKeyJwt { grant, key }, &clock())).await;

        let form = endpoint.form(0);
        assert!(form.contains(&("resource".to_owned(), "r 1".to_owned())), "{form:?}");
        let assertion = &form.iter().find(|(name, _)| name == "client_assertion").unwrap().1;
        let part = |place: usize| -> Value {
            let part = assertion.split('.').nth(place).unwrap();
            crate::fhir::json::parse(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(
            (&part(0)["alg"], &part(0)["kid"], &part(0)["typ"]),
            (&json!(alg), &json!("k1"), &json!("JWT"))
        );
        assert_eq!(part(1)["aud"], "https://identity.example/");
    }
}

#[tokio::test]
async fn the_key_whose_turn_it_is_signs_from_one_token_to_the_next() {
    let (endpoint, clock) = (Endpoint::granting().await, clock());
    let folder = tempfile::TempDir::new().unwrap();
    let (directory, day) = (folder.path().join("keys"), Duration::from_hours(24));
    let algorithm = SigningAlgorithm::Es384;
    let rotate =
        || keys::folder::rotate(&directory, algorithm, Change::After(day), clock.now()).unwrap().key_id;
    let keys = Arc::new(KeyFolder::new(directory.clone(), clock.clone()));
    let credentials = Credentials::PrivateKeyJwt { grant: endpoint.grant(), key: OwnKey::InTurn(algorithm) };
    let source = token_source(&credentials, clock.clone(), http(), Some(&keys)).unwrap();

    assert_eq!(source.authorization().await, Err(TokenError::Unavailable), "there is no key yet");
    let one = rotate();
    clock.advance(Duration::from_secs(5));
    header(&source).await;
    let two = rotate();
    clock.advance(day);
    header(&source).await;

    let signed_by = |place: usize| {
        let form = endpoint.form(place);
        let assertion = &form.iter().find(|(name, _)| name == "client_assertion").unwrap().1;
        jsonwebtoken::decode_header(assertion).unwrap().kid.unwrap()
    };
    assert_eq!((signed_by(0), signed_by(1)), (one, two));
}

#[tokio::test]
async fn our_assertions_satisfy_our_own_token_endpoint() {
    let clock = clock();
    for (pem, jwk, algorithm) in [
        (rsa_pem(), rsa_jwk("k1"), SigningAlgorithm::Rs384),
        (ec_pem(), ec_jwk("k1"), SigningAlgorithm::Es384),
    ] {
        let endpoint = Endpoint::granting().await;
        let source = source(&endpoint.by_key(&pem, algorithm), &clock);
        header(&source).await;
        source.forget().await;
        header(&source).await;

        let service = token_service(&endpoint, &jwk, &clock);
        for place in 0..2 {
            let (headers, body) = endpoint.asked.lock().unwrap()[place].clone();
            assert!(headers.get(AUTHORIZATION).is_none());
            let content_type = headers.get(CONTENT_TYPE).cloned();
            let request = TokenRequest { content_type, authorization: None, body: body.into_bytes() };
            // The second would be refused as a replay if its jti were not new.
            service.issue(request).await.unwrap_or_else(|it| panic!("{}", it.log_reason()));
        }
    }
}

fn token_service(endpoint: &Endpoint, jwk: &Value, clock: &Arc<TestClock>) -> TokenService {
    let credential = ClientCredential::Keys(json!({ "keys": [jwk] }).to_string());
    let client =
        Client { client_id: "gate:way".to_owned(), credential, role: ClientRole::Clinic, rate: None };
    let registry = Arc::new(Registry::new(Clients::check(vec![client]).unwrap()));
    let mut addresses = Addresses::under("http://127.0.0.1");
    addresses.token_endpoint = endpoint.url.to_string();
    let key = Sensitive::new([1; 32]);
    let tokens = Arc::new(AccessTokens::new(registry, &addresses, &key, clock.clone()));
    let (spent, published) = (Arc::new(SpentInMemory::default()), Arc::new(Unpublished));
    TokenService::new(&addresses, tokens, spent, published)
}

#[tokio::test]
async fn a_token_is_kept_until_half_a_minute_before_its_end() {
    let (endpoint, clock) = (Endpoint::granting().await, clock());
    let source = source(&endpoint.by_secret(), &clock);

    assert_eq!(header(&source).await, "Bearer t1");
    clock.advance(Duration::from_secs(269));
    assert_eq!(header(&source).await, "Bearer t1");
    clock.advance(Duration::from_secs(1));
    assert_eq!(header(&source).await, "Bearer t2");
    source.forget().await;
    assert_eq!(header(&source).await, "Bearer t3");
    assert_eq!(endpoint.count(), 3);
}

#[tokio::test]
async fn many_who_wait_ask_once() {
    let endpoint = Endpoint::granting().await;
    let source = source(&endpoint.by_secret(), &clock());

    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let source = source.clone();
            tokio::spawn(async move { header(&source).await })
        })
        .collect();
    for one in waiting {
        assert_eq!(one.await.unwrap(), "Bearer t1");
    }

    assert_eq!(endpoint.count(), 1);
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_is_not_asked_for_again_at_once() {
    let endpoint = Endpoint::answering(|_| {
        let body = json!({ "error": "invalid_client", "error_description": "Jane Canary" });
        (StatusCode::UNAUTHORIZED, json_answer(&body)).into_response()
    })
    .await;
    let clock = clock();
    let source = source(&endpoint.by_secret(), &clock);
    let refused = Err(TokenError::Refused("invalid_client".to_owned()));

    assert_eq!(source.authorization().await, refused);
    source.forget().await;
    assert_eq!(source.authorization().await, refused);
    assert_eq!(endpoint.count(), 1);
    clock.advance(Duration::from_secs(2));
    assert_eq!(source.authorization().await, refused);
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test]
async fn a_busy_endpoint_is_left_alone_for_as_long_as_it_asks() {
    let endpoint =
        Endpoint::answering(|_| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "20")]).into_response())
            .await;
    let clock = clock();
    let source = source(&endpoint.by_secret(), &clock);

    for (seconds, count) in [(0, 1), (19, 1), (1, 2)] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(source.authorization().await, Err(TokenError::Unavailable));
        assert_eq!(endpoint.count(), count);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_bearer_token_is_not_used() {
    let answers: [fn() -> Response; 7] = [
        || json_answer(&json!({ "access_token": "t", "token_type": "mac" })),
        || json_answer(&json!({ "access_token": "a\nb", "token_type": "bearer" })),
        || json_answer(&json!({ "token_type": "bearer" })),
        || "<html>".into_response(),
        || (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response(),
        || (StatusCode::BAD_REQUEST, json_answer(&json!({ "error": "Jane Canary says no" }))).into_response(),
        || json_answer(&json!({ "access_token": "t".repeat(70_000), "token_type": "bearer" })),
    ];
    for answer in answers {
        let endpoint = Endpoint::answering(move |_| answer()).await;

        let error = source(&endpoint.by_secret(), &clock()).authorization().await.unwrap_err();

        let spoken = matches!(&error, TokenError::Refused(code) if code == "unspecified");
        assert!(error == TokenError::Unavailable || spoken, "{error:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unavailable() {
    let mut endpoint = Endpoint::granting().await;
    endpoint.url = "http://127.0.0.1:1/token".parse().unwrap();

    let answer = source(&endpoint.by_secret(), &clock()).authorization().await;

    assert_eq!(answer, Err(TokenError::Unavailable));
}
