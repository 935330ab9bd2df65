//! Keys and assertions for tests.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{KeyName, KeysFault, PublicKeys, PublishedKeys};
use crate::model::client::{KeyAddress, SpentAssertions};
use crate::model::work::StoreError;

static RSA: LazyLock<String> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'static> = pair.as_der().unwrap();
    pem(der.as_ref())
});

static EC: LazyLock<String> = LazyLock::new(new_ec_pem);

/// The RSA key that all tests share: making one takes long.
pub(crate) fn rsa_pem() -> String {
    RSA.clone()
}

/// The P-384 key that all tests share.
pub(crate) fn ec_pem() -> String {
    EC.clone()
}

/// A P-384 key that nobody registered.
pub(crate) fn new_ec_pem() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    pem(pair.to_pkcs8v1().unwrap().as_ref())
}

/// A P-256 key, as some servers want.
pub(crate) fn new_p256_pem() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    pem(pair.to_pkcs8v1().unwrap().as_ref())
}

pub(crate) fn rsa_jwk(key_id: &str) -> Value {
    jwk(&EncodingKey::from_rsa_pem(rsa_pem().as_bytes()).unwrap(), Algorithm::RS384, key_id)
}

pub(crate) fn ec_jwk(key_id: &str) -> Value {
    jwk(&EncodingKey::from_ec_pem(ec_pem().as_bytes()).unwrap(), Algorithm::ES384, key_id)
}

/// Remembers in memory, as the store does on disk.
#[derive(Default)]
pub(crate) struct SpentInMemory(pub(crate) Mutex<HashMap<(String, String), Timestamp>>);

#[async_trait]
impl SpentAssertions for SpentInMemory {
    async fn spend(&self, client_id: &str, jti: &str, expires: Timestamp) -> Result<bool, StoreError> {
        let key = (client_id.to_owned(), jti.to_owned());
        Ok(self.0.lock().unwrap().insert(key, expires).is_none())
    }

    async fn is_spent(&self, client_id: &str, jti: &str) -> Result<bool, StoreError> {
        Ok(self.0.lock().unwrap().contains_key(&(client_id.to_owned(), jti.to_owned())))
    }
}

/// No client publishes anything.
pub(crate) struct Unpublished;

#[async_trait]
impl PublishedKeys for Unpublished {
    async fn keys(&self, _: &KeyAddress, _: &KeyName) -> Result<Arc<PublicKeys>, KeysFault> {
        Err(KeysFault::NoAnswer("nobody listens there"))
    }
}

/// Answers over real HTTP, until the test ends.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connections = auto::Builder::new(TokioExecutor::new());
            drop(connections.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn jwk(key: &EncodingKey, algorithm: Algorithm, key_id: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(key_id);
    jwk
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|it| str::from_utf8(it).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
