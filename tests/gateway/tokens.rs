//! How clients get access tokens.

use std::fs;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use referral_gateway::model::clock::Clock as _;
use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::{Value, json};

use crate::process::{lines, run};
use crate::support::{Options, SECRET, TestGateway};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::test]
async fn a_signed_assertion_is_worth_a_token_that_opens_the_doors() {
    for client in [Client::with_ec_key(), Client::with_rsa_key()] {
        let gateway = client.gateway().await;

        let reply = client.ask(&gateway, &claims(&gateway)).await;

        assert_eq!(
            (reply.status.as_u16(), &reply.body["token_type"]),
            (200, &json!("bearer")),
            "{}",
            reply.body
        );
        assert_eq!((&reply.body["expires_in"], &reply.body["scope"]), (&json!(300), &json!("system/*.rs")));
        assert_eq!(reply.headers["cache-control"], "no-store");
        let authorization = format!("Bearer {}", reply.body["access_token"].as_str().unwrap());
        let call = gateway.call("GET", "/fhir/Task").header("authorization", &authorization);
        assert_eq!(call.send().await.status, 200);
    }
}

#[tokio::test]
async fn an_assertion_is_good_once_also_across_a_restart() {
    let client = Client::with_ec_key();
    let mut gateway = client.gateway().await;
    let once = claims(&gateway);

    assert_eq!(client.ask(&gateway, &once).await.status, 200);
    assert_invalid_client(&client.ask(&gateway, &once).await);
    gateway.restart().await;

    assert_invalid_client(&client.ask(&gateway, &once).await);
    assert_eq!(client.ask(&gateway, &claims(&gateway)).await.status, 200);
}

#[tokio::test]
async fn an_assertion_that_is_wrong_in_anything_is_refused_like_any_other() {
    let client = Client::with_ec_key();
    let gateway = client.gateway().await;
    let now = gateway.clock().now().as_second();
    let changes = [
        ("aud", json!("https://elsewhere.example/token")),
        ("aud", json!(gateway.public_url())),
        ("iss", json!("hillside")),
        ("sub", json!("hillside")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 3600)),
        ("exp", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("nbf", json!(now + 600)),
    ];

    for (claim, value) in changes {
        let mut wrong = claims(&gateway);
        wrong[claim] = value;
        assert_invalid_client(&client.ask(&gateway, &wrong).await);
    }
}

#[tokio::test]
async fn an_assertion_is_judged_by_a_command_as_by_the_token_endpoint() {
    let client = Client::with_ec_key();
    let gateway = client.gateway().await;
    let (file, folder) = (gateway.folder().join("assertion"), gateway.folder().display().to_string());
    let at = gateway.clock().now().to_string();
    let file_name = file.display().to_string();
    let judge = async |claims: &Value| {
        fs::write(&file, client.sign(claims)).unwrap();
        let asked = ["partners", "test", "lakeside", "--json", "--at", &at, "--assertion", &file_name];
        let judged = run(&[&asked[..], &["--config", &folder]].concat()).await;
        let bad = lines(&judged).into_iter().filter(|it| it["verdict"] == "bad");
        (judged.status.code(), bad.map(|it| it["words"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let good = claims(&gateway);

    assert_eq!(judge(&good).await, (Some(0), Vec::new()));
    assert_eq!(client.ask(&gateway, &good).await.status, 200, "judging does not use it up");
    let used = "the jti was used before: each attempt needs a new assertion".to_owned();
    assert_eq!(judge(&good).await, (Some(1), vec![used]));
    let mut elsewhere = claims(&gateway);
    elsewhere["aud"] = json!("https://elsewhere.example/token");
    assert_invalid_client(&client.ask(&gateway, &elsewhere).await);
    let told = format!(
        "aud is not the token endpoint, letter by letter: expected {}/oauth2/token, found {}",
        gateway.public_url(),
        "https://elsewhere.example/token"
    );
    assert!(gateway.log_text().contains(&told), "{}", gateway.log_text());
    assert_eq!(judge(&elsewhere).await, (Some(1), vec![told]));
}

#[tokio::test]
async fn a_key_that_nobody_registered_signs_for_nobody() {
    let (client, other) = (Client::with_ec_key(), Client::with_ec_key());
    let gateway = client.gateway().await;

    let reply = other.ask(&gateway, &claims(&gateway)).await;

    assert_invalid_client(&reply);
}

#[tokio::test]
async fn a_secret_is_worth_a_token_and_a_wrong_one_is_not() {
    let gateway = TestGateway::start().await;
    let wrong = format!("{SECRET}2");

    assert_eq!(ask_with_secret(&gateway, "lakeside", SECRET).await.status, 200);
    let refused = ask_with_secret(&gateway, "lakeside", &wrong).await;
    let unknown = ask_with_secret(&gateway, "nobody", SECRET).await;

    assert_invalid_client(&refused);
    assert_invalid_client(&unknown);
    assert_eq!(refused.body, unknown.body);
    assert!(refused.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_token_request_that_is_wrong_is_answered_as_oauth_demands() {
    let gateway = TestGateway::start().await;
    let basic = STANDARD.encode(format!("lakeside:{SECRET}"));

    for (form, error) in [
        ("", "invalid_request"),
        ("grant_type=password&scope=system/*.rs", "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=openid", "invalid_scope"),
        ("grant_type=client_credentials&scope=system/Subscription.rs", "invalid_scope"),
        ("grant_type=client_credentials&scope=a&scope=b", "invalid_request"),
        ("grant_type=client_credentials&scope=%", "invalid_request"),
    ] {
        let call = gateway.call("POST", "/oauth2/token").header("authorization", &format!("Basic {basic}"));
        let reply = call.form(form).send().await;

        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (400, &json!(error)), "{form}");
        assert!(reply.body.get("resourceType").is_none());
    }
}

#[tokio::test]
async fn a_token_request_in_another_form_or_too_large_is_refused() {
    let gateway = TestGateway::start().await;

    let json = gateway.call("POST", "/oauth2/token").header("content-type", "application/json").body("{}");
    let large = gateway.call("POST", "/oauth2/token").form("a=".repeat(600_000));

    let (json, large) = (json.send().await, large.send().await);
    assert_eq!((json.status.as_u16(), &json.body["error"]), (400, &json!("invalid_request")));
    assert_eq!((large.status.as_u16(), &large.body["error"]), (413, &json!("invalid_request")));
}

#[tokio::test]
async fn discovery_says_where_tokens_are_and_how_to_ask() {
    let gateway = TestGateway::start().await;

    let document = gateway.call("GET", "/fhir/.well-known/smart-configuration").send().await;
    let metadata = gateway.call("GET", "/fhir/metadata").send().await;

    let endpoint = format!("{}/oauth2/token", gateway.public_url());
    assert_eq!((document.status.as_u16(), &document.body["token_endpoint"]), (200, &json!(endpoint)));
    assert_eq!(document.headers["content-type"], "application/json");
    let security = &metadata.body["rest"][0]["security"]["extension"][0]["extension"][0];
    assert_eq!(security["valueUri"], json!(endpoint));
}

/// A client that signs.
struct Client {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Client {
    fn with_ec_key() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let pem = pem(pair.to_pkcs8v1().unwrap().as_ref());
        Self { key: EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(), algorithm: Algorithm::ES384 }
    }

    fn with_rsa_key() -> Self {
        let der: Pkcs8V1Der<'static> = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        let pem = pem(der.as_ref());
        Self { key: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), algorithm: Algorithm::RS384 }
    }

    /// A gateway where lakeside has this key.
    async fn gateway(&self) -> TestGateway {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = json!("key-1");
        let jwks = json!({ "keys": [jwk] }).to_string();
        TestGateway::with(Options { jwks: Some(jwks), ..Options::default() }).await
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some("key-1".to_owned()), ..Header::new(self.algorithm) };
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }

    async fn ask(&self, gateway: &TestGateway, claims: &Value) -> Reply {
        let assertion = self.sign(claims);
        let form = format!(
            "grant_type=client_credentials&scope=system/*.rs&client_assertion_type={JWT_BEARER}\
             &client_assertion={assertion}"
        );
        gateway.call("POST", "/oauth2/token").form(form).send().await
    }
}

/// New claims in which everything is right.
fn claims(gateway: &TestGateway) -> Value {
    json!({
        "iss": "lakeside",
        "sub": "lakeside",
        "aud": format!("{}/oauth2/token", gateway.public_url()),
        "exp": gateway.clock().now().as_second() + 240,
        "jti": uuid::Uuid::new_v4().to_string(),
    })
}

fn assert_invalid_client(reply: &Reply) {
    assert_eq!(
        (reply.status.as_u16(), &reply.body["error"]),
        (401, &json!("invalid_client")),
        "{}",
        reply.body
    );
    assert!(reply.body.get("access_token").is_none());
}

async fn ask_with_secret(gateway: &TestGateway, client: &str, secret: &str) -> Reply {
    let basic = STANDARD.encode(format!("{client}:{secret}"));
    let call = gateway.call("POST", "/oauth2/token").header("authorization", &format!("Basic {basic}"));
    call.form("grant_type=client_credentials&scope=system/*.rs").send().await
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|it| str::from_utf8(it).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
