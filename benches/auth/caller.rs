//! A client with a key, and the door that it asks at.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use referral_gateway::auth::verify::{
    AccessTokens, Addresses, Clients, KeyName, KeysFault, PublicKeys, PublishedKeys, Registry, TokenRequest,
    TokenService,
};
use referral_gateway::model::client::{Client, ClientCredential, ClientRole, KeyAddress, SpentAssertions};
use referral_gateway::model::clock::{Clock as _, SystemClock};
use referral_gateway::model::ids::PartnerId;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::StoreError;
use serde_json::json;
use uuid::Uuid;

/// What the client signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// RSA of 2048 bits.
    Rs384,
    /// P-384.
    Es384,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The token endpoint, and one client that it knows.
pub(crate) struct Door {
    /// Gives tokens.
    pub(crate) service: TokenService,
    /// Checks them.
    pub(crate) tokens: Arc<AccessTokens>,
    /// The client's public key, as the bare verification wants it.
    pub(crate) public: Vec<u8>,
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Door {
    /// A door for a client with a new key.
    pub(crate) fn open(key: Key) -> Self {
        let (key, algorithm, public) = new_key(key);
        let mut jwk = json!(Jwk::from_encoding_key(&key, algorithm).expect("the key has a public half"));
        jwk["kid"] = json!("k");
        let client = Client {
            client_id: "lakeside".to_owned(),
            credential: ClientCredential::Keys(json!({ "keys": [jwk] }).to_string()),
            role: ClientRole::Partner(PartnerId::new("lakeside")),
            rate: None,
        };
        let registry = Arc::new(Registry::new(Clients::check(vec![client]).expect("the client is good")));
        let (addresses, clock) = (addresses(), Arc::new(SystemClock));
        let tokens = Arc::new(AccessTokens::new(registry, &addresses, &Sensitive::new([7; 32]), clock));
        let (spent, published) = (Arc::new(InMemory::default()), Arc::new(Nothing));
        let service = TokenService::new(&addresses, Arc::clone(&tokens), spent, published);
        Self { service, tokens, public, key, algorithm }
    }

    /// A new request for a token.
    pub(crate) fn request(&self) -> TokenRequest {
        let body = format!(
            "grant_type=client_credentials&scope=system/ServiceRequest.rs&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={}",
            self.assertion()
        );
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        TokenRequest { content_type: Some(content_type), authorization: None, body: body.into_bytes() }
    }

    /// What was signed, and the signature.
    pub(crate) fn signed(&self) -> (Vec<u8>, Vec<u8>) {
        let assertion = self.assertion();
        let (message, signature) = assertion.rsplit_once('.').expect("an assertion has three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
        (message.as_bytes().to_vec(), signature)
    }

    /// The header of a request with a good access token.
    pub(crate) fn authorization(&self) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
        let issued = runtime.block_on(self.service.issue(self.request())).expect("the request is good");
        format!("Bearer {}", issued.access_token.reveal())
    }

    fn assertion(&self) -> String {
        let header = Header { kid: Some("k".to_owned()), ..Header::new(self.algorithm) };
        let claims = json!({
            "iss": "lakeside",
            "sub": "lakeside",
            "aud": addresses().token_endpoint,
            "exp": SystemClock.now().as_second() + 240,
            "jti": Uuid::new_v4().to_string(),
        });
        jsonwebtoken::encode(&header, &claims, &self.key).expect("the key can sign")
    }
}

fn addresses() -> Addresses {
    Addresses::under("https://gateway.example")
}

fn new_key(key: Key) -> (EncodingKey, Algorithm, Vec<u8>) {
    match key {
        Key::Rs384 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("RSA keys can be made");
            let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key can be written");
            let key = EncodingKey::from_rsa_pem(pem(der.as_ref()).as_bytes()).expect("it is a key");
            (key, Algorithm::RS384, pair.public_key().as_ref().to_vec())
        }
        Key::Es384 => {
            let pair =
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("P-384 keys can be made");
            let der = pair.to_pkcs8v1().expect("a key can be written");
            let key = EncodingKey::from_ec_pem(pem(der.as_ref()).as_bytes()).expect("it is a key");
            (key, Algorithm::ES384, pair.public_key().as_ref().to_vec())
        }
    }
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Remembers without a disk, so that only what a signature costs is measured.
#[derive(Default)]
struct InMemory(Mutex<HashSet<String>>);

#[async_trait]
impl SpentAssertions for InMemory {
    async fn spend(&self, _: &str, jti: &str, _: Timestamp) -> Result<bool, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(jti.to_owned()))
    }

    async fn is_spent(&self, _: &str, jti: &str) -> Result<bool, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(jti))
    }
}

/// No client publishes anything here.
struct Nothing;

#[async_trait]
impl PublishedKeys for Nothing {
    async fn keys(&self, _: &KeyAddress, _: &KeyName) -> Result<Arc<PublicKeys>, KeysFault> {
        Err(KeysFault::Status(404))
    }
}
