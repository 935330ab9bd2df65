//! The handshake with a server on the loopback interface.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::auth::verify::testing::{ec_jwk, ec_pem, serve};
use crate::model::client::{ClientCredential, ClientRole, KeyAddress};
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::effects::WriteRules;
use crate::model::partner::{Credentials, OwnKey, Pace, SigningAlgorithm, TokenGrant};
use crate::model::sensitive::Sensitive;

type Answer = fn() -> Response;

/// A partner's side: token endpoint, FHIR server and published keys.
struct Partner {
    address: String,
    seen: Arc<Mutex<Option<HeaderMap>>>,
}

impl Partner {
    async fn answering(token: Answer, metadata: Answer, keys: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(None));
        let seen_there = Arc::clone(&seen);
        let metadata = get(async move |headers: HeaderMap| {
            *seen_there.lock().unwrap() = Some(headers);
            metadata()
        });
        let router = Router::new()
            .route("/token", post(async move || token()))
            .route("/jwks.json", get(async move || keys()))
            .route("/fhir/metadata", metadata);
        tokio::spawn(serve(listener, router));
        Self { address, seen }
    }

    async fn good() -> Self {
        Self::answering(granted, r4, published).await
    }

    fn url(&self, path: &str) -> url::Url {
        format!("{}{path}", self.address).parse().unwrap()
    }

    fn endpoint(&self) -> Endpoint {
        let grant = TokenGrant {
            token_url: self.url("/token"),
            client_id: "gateway".to_owned(),
            scope: "system/*.cruds".to_owned(),
            audience: None,
            form: Vec::new(),
        };
        Endpoint {
            base_url: self.url("/fhir"),
            issuers: None,
            credentials: Credentials::PrivateKeyJwt {
                grant,
                key: OwnKey::Given {
                    private_key: Sensitive::new(ec_pem().into_bytes()),
                    key_id: "k".to_owned(),
                    algorithm: SigningAlgorithm::Es384,
                },
            },
            timeout: Duration::from_secs(1),
            writes: WriteRules::default(),
            pace: Pace::default(),
        }
    }

    fn client(&self) -> Client {
        let address = KeyAddress { url: self.url("/jwks.json"), issuers: None };
        Client {
            client_id: "lakeside".to_owned(),
            credential: ClientCredential::KeysAt(address),
            role: ClientRole::Clinic,
            rate: None,
        }
    }

    async fn findings(&self) -> Vec<(&'static str, Verdict, String)> {
        let side = Side {
            with: "lakeside".to_owned(),
            client: Some(self.client()),
            server: Some((self.endpoint(), FhirVersion::R4)),
            keys: None,
        };
        let findings = side.findings(|| SystemClock.now()).await;
        findings.into_iter().map(|it| (it.step, it.verdict, it.words)).collect()
    }

    /// The one finding about a step, which must not be good.
    async fn fault(&self, step: &str) -> String {
        let findings = self.findings().await;
        let found = findings.iter().find(|it| it.0 == step && it.1 != Verdict::Good);
        found.unwrap_or_else(|| panic!("{findings:?}")).2.clone()
    }
}

fn granted() -> Response {
    axum::Json(json!({ "access_token": "t1", "token_type": "Bearer", "expires_in": 300 })).into_response()
}

fn r4() -> Response {
    axum::Json(json!({ "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1" })).into_response()
}

fn published() -> Response {
    axum::Json(json!({ "keys": [ec_jwk("k1")] })).into_response()
}

#[tokio::test]
async fn the_whole_handshake_is_told_one_step_a_line() {
    let partner = Partner::good().await;

    let findings = partner.findings().await;

    let steps: Vec<_> = findings.iter().map(|it| (it.0, it.1)).collect();
    let good = |step| (step, Verdict::Good);
    assert_eq!(steps, [good("keys"), good("token"), good("metadata"), good("clock")], "{findings:?}");
    assert!(findings[0].2.ends_with("/jwks.json: k1 (ES384)"), "{findings:?}");
    assert_eq!(partner.seen.lock().unwrap().as_ref().unwrap()["authorization"], "Bearer t1");
    assert!(!format!("{findings:?}").contains("t1\""));
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_us_is_told_with_its_code_and_the_clocks() {
    let refused = || {
        let body =
            axum::Json(json!({ "error": "invalid_client", "error_uri": "urn:cerner:error:kid-unknown" }));
        let date = [("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
        (StatusCode::UNAUTHORIZED, date, body).into_response()
    };
    let partner = Partner::answering(refused, r4, published).await;

    assert_eq!(
        partner.fault("token").await,
        "the token endpoint refused us: invalid_client (urn:cerner:error:kid-unknown)"
    );
    assert!(partner.fault("clock").await.contains("s behind ours"));
    assert!(
        partner.findings().await.iter().all(|it| it.0 != "metadata"),
        "there was no token to go there with"
    );
}

#[tokio::test]
async fn a_server_that_is_not_what_it_should_be_is_told() {
    for (metadata, words) in [
        ((|| StatusCode::UNAUTHORIZED.into_response()) as Answer, "it does not take our token: 401"),
        (|| StatusCode::FORBIDDEN.into_response(), "our token may not read it: 403"),
        (|| StatusCode::NOT_FOUND.into_response(), "it answered 404"),
        (
            || (StatusCode::FOUND, [("location", "/")]).into_response(),
            "it sends us elsewhere, which we do not follow: 302",
        ),
        (|| "<html>".into_response(), "its answer is no CapabilityStatement"),
        (
            || {
                axum::Json(json!({ "resourceType": "CapabilityStatement", "fhirVersion": "3.0.2" }))
                    .into_response()
            },
            "speaks FHIR 3.0.2, and not 4.0",
        ),
    ] {
        let fault = Partner::answering(granted, metadata, published).await.fault("metadata").await;
        assert!(fault.ends_with(words), "{fault}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_or_used_are_told() {
    let gone = Partner::answering(granted, r4, || StatusCode::NOT_FOUND.into_response()).await;
    assert!(gone.fault("keys").await.ends_with("cannot be read: the server answered 404"));
    let none = Partner::answering(granted, r4, || axum::Json(json!({ "keys": [] })).into_response()).await;
    assert!(none.fault("keys").await.ends_with("none"));
    let one_is_wrong =
        || axum::Json(json!({ "keys": [ec_jwk("k1"), { "kty": "oct", "k": "AA" }] })).into_response();
    let partner = Partner::answering(granted, r4, one_is_wrong).await;
    assert!(partner.fault("keys").await.starts_with("left out: keys[1] is symmetric"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let mut partner = Partner::good().await;
    partner.address = "http://127.0.0.1:1".to_owned();

    assert_eq!(partner.fault("token").await, "the token endpoint: nobody listens there");
    assert!(partner.fault("keys").await.ends_with("nobody listens there"));
}
