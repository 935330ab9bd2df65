//! Access tokens: short-lived, signed by us, good for us only.
//!
//! Source: RFC 9068 (JWT profile of access tokens), RFC 6750; smart.md section 4.

use std::sync::Arc;

use http::HeaderValue;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;
use uuid::Uuid;

use super::clients::{Clients, Registry};
use super::discovery::Addresses;
use super::issue::IssuedToken;
use super::jwt::Jwt;
use crate::auth::scope::{Interaction, Scopes};
use crate::model::client::ClientRole;
use crate::model::clock::Clock;
use crate::model::sensitive::Sensitive;

/// How long a token is good for, in seconds (smart.md section 3: at most 300).
const LIFETIME_S: u32 = 300;

/// The media type of RFC 9068 §2.1: tells our tokens from client assertions.
const TOKEN_TYPE: &str = "at+jwt";

/// Who sent a request, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The OAuth 2.0 client id.
    pub client_id: String,
    /// For whom it speaks, as configured now.
    pub role: ClientRole,
    /// What its token is for.
    pub scopes: Scopes,
}

impl Caller {
    /// True: it may do this with this resource type. False is a 403 (smart.md row 4.1).
    pub fn may(&self, interaction: Interaction, resource_type: &str) -> bool {
        self.scopes.permit(&self.role, resource_type, interaction)
    }
}

/// Why a request has no caller. `Display` is for the log; the caller learns less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    /// There is no `Authorization` header.
    #[error("no token was sent")]
    Missing,
    /// The header is not `Bearer` and a token.
    #[error("the Authorization header is not a bearer token")]
    NotBearer,
    /// Not one of our tokens: another form, key, type or audience.
    #[error("the token is not one of ours")]
    NotOurs,
    /// The token was good once.
    #[error("the token is expired")]
    Expired,
    /// Its client is no longer registered.
    #[error("the token's client is not registered any more")]
    UnknownClient,
}

impl BearerRefusal {
    /// The `WWW-Authenticate` header of the 401 (RFC 6750 §3, §3.1).
    pub const fn www_authenticate(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Missing => r#"Bearer realm="referral-gateway""#,
            Self::NotBearer => r#"Bearer realm="referral-gateway", error="invalid_request""#,
            Self::NotOurs | Self::Expired | Self::UnknownClient => {
                r#"Bearer realm="referral-gateway", error="invalid_token""#
            }
        })
    }
}

/// Signs and verifies access tokens.
pub struct AccessTokens {
    registry: Arc<Registry>,
    issuer: String,
    audience: String,
    keys: (EncodingKey, DecodingKey),
    clock: Arc<dyn Clock>,
}

impl AccessTokens {
    /// Tokens for our own FHIR base. The key comes from [`crate::auth::keys::access_token_key`].
    pub fn new(
        registry: Arc<Registry>,
        addresses: &Addresses,
        key: &Sensitive<[u8; 32]>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let key = key.reveal();
        Self {
            registry,
            issuer: addresses.public_url.clone(),
            audience: addresses.fhir_base.clone(),
            keys: (EncodingKey::from_secret(key), DecodingKey::from_secret(key)),
            clock,
        }
    }

    /// Finds the caller behind an `Authorization` header. Tokens anywhere else are not looked at
    /// (smart.md row 4.2).
    pub fn verify(&self, authorization: Option<&str>) -> Result<Caller, BearerRefusal> {
        let header = authorization.ok_or(BearerRefusal::Missing)?;
        let (scheme, token) = header.split_once(' ').ok_or(BearerRefusal::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(BearerRefusal::NotBearer);
        }
        let token = Jwt::read(token.trim()).filter(|it| self.is_ours(it)).ok_or(BearerRefusal::NotOurs)?;
        let expiry = token.claim_seconds("exp").ok_or(BearerRefusal::NotOurs)?;
        if expiry <= self.clock.now().as_second() {
            return Err(BearerRefusal::Expired);
        }
        self.caller_of(&token)
    }

    pub(super) fn issue(&self, client_id: String, scopes: Scopes) -> IssuedToken {
        let now = self.clock.now().as_second();
        let claims = Claims {
            iss: &self.issuer,
            sub: &client_id,
            client_id: &client_id,
            aud: &self.audience,
            iat: now,
            exp: now + i64::from(LIFETIME_S),
            jti: Uuid::new_v4().to_string(),
            scope: scopes.to_string(),
        };
        let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &self.keys.0);
        let access_token = Sensitive::new(token.expect("text and whole numbers can be signed by HMAC"));
        IssuedToken { access_token, expires_in_s: LIFETIME_S, scopes, client_id }
    }

    /// The clients as they are now.
    pub(super) fn clients(&self) -> Arc<Clients> {
        self.registry.current()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn is_ours(&self, token: &Jwt<'_>) -> bool {
        token.header_text("alg") == Some("HS256")
            && token.header_text("typ") == Some(TOKEN_TYPE)
            && token.header("crit").is_none()
            && token.is_signed_by(&self.keys.1, Algorithm::HS256)
            && token.claim_text("iss") == Some(&self.issuer)
            && token.is_for(&self.audience)
    }

    fn caller_of(&self, token: &Jwt<'_>) -> Result<Caller, BearerRefusal> {
        let client_id = token.claim_text("sub").ok_or(BearerRefusal::NotOurs)?;
        let scopes = Scopes::parse(token.claim_text("scope").ok_or(BearerRefusal::NotOurs)?);
        let clients = self.registry.current();
        let role = clients.role_of(client_id).ok_or(BearerRefusal::UnknownClient)?.clone();
        Ok(Caller { client_id: client_id.to_owned(), role, scopes })
    }
}

/// RFC 9068 §2.2.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    scope: String,
}
