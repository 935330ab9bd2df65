//! The token endpoint and its tokens, rule by rule. Numbers are those of `smartcheck.py`.

mod assertions;
mod bearer_tokens;
mod diagnosis;
mod published_keys;
mod requests;

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

use super::testing::{SpentInMemory, Unpublished, ec_jwk, ec_pem, new_ec_pem, rsa_jwk, rsa_pem};
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
        let service = service(&tokens, spent.clone());
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
    parts_for(clients())
}

fn parts_for(clients: Vec<Client>) -> (Arc<Registry>, Arc<AccessTokens>, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(Timestamp::from_second(NOW).unwrap()));
    let registry = Arc::new(Registry::new(Clients::check(clients).unwrap()));
    let key = Sensitive::new([7; 32]);
    let tokens = AccessTokens::new(registry.clone(), &addresses(), &key, clock.clone());
    (registry, Arc::new(tokens), clock)
}

fn service(tokens: &Arc<AccessTokens>, spent: Arc<dyn SpentAssertions>) -> TokenService {
    let published = Arc::new(Unpublished);
    TokenService::new(&addresses(), tokens.clone(), spent, published)
}

fn addresses() -> Addresses {
    Addresses::under("https://gateway.example")
}

fn clients() -> Vec<Client> {
    let keys = json!({ "keys": [rsa_jwk("rsa"), ec_jwk("ec")] }).to_string();
    let client = |client_id: &str, credential, role| Client {
        client_id: client_id.to_owned(),
        credential,
        role,
        rate: None,
    };
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

fn bearer(issued: &IssuedToken) -> String {
    format!("Bearer {}", issued.access_token.reveal())
}
