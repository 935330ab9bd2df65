//! One request to a token endpoint.
//!
//! Source: RFC 6749 §4.4, RFC 7523 §2.2; smart.md section 6.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use jsonwebtoken::Header;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse, BasicTokenType};
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope,
    TokenResponse as _, TokenUrl,
};
use serde::Serialize;
use uuid::Uuid;

use super::sensitive_header;
use crate::auth::keys::AssertionKey;
use crate::auth::keys::folder::KeyFolder;
use crate::fhir::client::token::TokenError;
use crate::fhir::client::{cause, clock};
use crate::model::partner::{SecretPlace, SigningAlgorithm, TokenGrant};
use crate::model::sensitive::Sensitive;

/// What to think of a token without `expires_in`.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);

/// How long not to ask again after a failure, where the server does not say.
const WAIT: Duration = Duration::from_secs(2);

/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How long an assertion is good for, in seconds: under the five minutes of SMART by what clocks differ.
const ASSERTION_LIFETIME_S: i64 = 240;

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// When it was at the server as it answered, if it said so.
pub(super) type ToldTime = Arc<Mutex<Option<Timestamp>>>;

/// How we ask at one token endpoint.
pub(super) struct Exchange {
    pub(super) grant: TokenGrant,
    pub(super) proof: Proof,
    pub(super) http: reqwest::Client,
}

/// How we prove who we are.
pub(super) enum Proof {
    Secret(Sensitive<String>, SecretPlace),
    Key(AssertionKey),
    /// The key of the folder whose turn it is.
    InTurn(Arc<KeyFolder>, SigningAlgorithm),
}

/// A token, ready for use.
pub(super) struct Token {
    pub(super) authorization: HeaderValue,
    pub(super) lifetime: Duration,
}

/// No token, and when to try again.
pub(super) struct Failure {
    pub(super) error: TokenError,
    pub(super) wait: Duration,
    /// What happened, in words of ours.
    pub(super) words: String,
}

impl Failure {
    fn unavailable(words: impl Into<String>) -> Self {
        Self { error: TokenError::Unavailable, wait: WAIT, words: words.into() }
    }
}

impl Exchange {
    /// Asks once. The cause of a failure is logged here, without anything that was sent or received but codes.
    pub(super) async fn ask(&self, now: Timestamp) -> Result<Token, Failure> {
        self.ask_and_compare(now, &Arc::default()).await
    }

    /// The same, and notes when it was there by the server's clock (RFC 9110 §6.6.1, `Date`).
    pub(super) async fn ask_and_compare(&self, now: Timestamp, told: &ToldTime) -> Result<Token, Failure> {
        let client = self.client();
        let scopes = self.grant.scope.split_ascii_whitespace().map(|it| Scope::new(it.to_owned()));
        let mut request = client.exchange_client_credentials().add_scopes(scopes);
        for (name, value) in &self.grant.form {
            request = request.add_extra_param(name, value.reveal());
        }
        if let Some(key) = self.key()? {
            request = request.add_extra_param("client_assertion_type", JWT_BEARER);
            request = request.add_extra_param("client_assertion", self.assertion(&key, now)?);
        }
        let send = |request| send(self.http.clone(), request, Arc::clone(told));
        let answer = request.request_async(&send).await;
        answer.map_err(|error| self.failure(error)).and_then(|it| token(&it))
    }

    fn client(&self) -> BasicClient<NotSet, NotSet, NotSet, NotSet, oauth2::EndpointSet> {
        let client = BasicClient::new(ClientId::new(self.grant.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.grant.token_url.clone()));
        match &self.proof {
            Proof::Secret(secret, place) => {
                let place = match place {
                    SecretPlace::Basic => AuthType::BasicAuth,
                    SecretPlace::Form => AuthType::RequestBody,
                };
                client.set_client_secret(ClientSecret::new(secret.reveal().clone())).set_auth_type(place)
            }
            // Sends client_id in the body, which RFC 7521 §4.2 allows.
            Proof::Key(_) | Proof::InTurn(..) => client.set_auth_type(AuthType::RequestBody),
        }
    }

    /// The key that signs now.
    fn key(&self) -> Result<Option<Cow<'_, AssertionKey>>, Failure> {
        match &self.proof {
            Proof::Secret(..) => Ok(None),
            Proof::Key(key) => Ok(Some(Cow::Borrowed(key))),
            Proof::InTurn(folder, algorithm) => {
                folder.signing(*algorithm).map(|it| Some(Cow::Owned(it))).map_err(|error| {
                    tracing::error!(%error, "there is no key of ours to sign with");
                    Failure::unavailable(format!("our own keys: {error}"))
                })
            }
        }
    }

    /// A new `jti` each time, also when the same request is tried again (smart.md row 6.3).
    fn assertion(&self, key: &AssertionKey, now: Timestamp) -> Result<String, Failure> {
        let claims = AssertionClaims {
            iss: &self.grant.client_id,
            sub: &self.grant.client_id,
            aud: self.grant.audience.as_deref().unwrap_or(self.grant.token_url.as_str()),
            iat: now.as_second(),
            exp: now.as_second() + ASSERTION_LIFETIME_S,
            jti: Uuid::new_v4().to_string(),
        };
        let header = Header { kid: Some(key.key_id().to_owned()), ..Header::new(key.algorithm()) };
        jsonwebtoken::encode(&header, &claims, key.key())
            .map_err(|_| Failure::unavailable("our key cannot sign"))
    }

    fn failure(&self, error: RequestTokenError<SendError, BasicErrorResponse>) -> Failure {
        let host = self.grant.token_url.host_str().unwrap_or_default();
        let client_id = self.grant.client_id.as_str();
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let code = code(answer.error().as_ref());
                let uri = answer.error_uri().map(|it| printable(it)).unwrap_or_default();
                tracing::warn!(token.host = host, client_id, code, uri, "token endpoint refused us");
                let words = match uri.as_str() {
                    "" => format!("the token endpoint refused us: {code}"),
                    uri => format!("the token endpoint refused us: {code} ({uri})"),
                };
                Failure { error: TokenError::Refused(code), wait: WAIT, words }
            }
            RequestTokenError::Request(error) => {
                tracing::warn!(token.host = host, client_id, %error, "token endpoint did not answer");
                let words = format!("the token endpoint: {error}");
                Failure { error: TokenError::Unavailable, wait: error.wait(), words }
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                tracing::warn!(token.host = host, client_id, "token endpoint answered something else");
                Failure::unavailable("the token endpoint answered something else than a token")
            }
        }
    }
}

type NotSet = oauth2::EndpointNotSet;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Serialize)]
struct AssertionClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Why there was no answer to read. Says no address: reqwest's own words would.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("{0}")]
    NoAnswer(&'static str),
    #[error("the answer is larger than {LARGEST_ANSWER} bytes")]
    TooLarge,
    #[error("status {status}")]
    Busy { status: u16, wait: Duration },
}

impl SendError {
    const fn wait(&self) -> Duration {
        match self {
            Self::Busy { wait, .. } => *wait,
            _ => WAIT,
        }
    }
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        Self::NoAnswer(cause::words(&error))
    }
}

async fn send(
    http: reqwest::Client,
    request: HttpRequest,
    told: ToldTime,
) -> Result<HttpResponse, SendError> {
    let request = reqwest::Request::try_from(request)?;
    let mut answer = http.execute(request).await?;
    *told.lock().unwrap_or_else(PoisonError::into_inner) = clock::told(answer.headers());
    let status = answer.status();
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Err(SendError::Busy { status: status.as_u16(), wait: wait_asked(answer.headers()) });
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(SendError::TooLarge);
        }
    }
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

/// `Retry-After` in whole seconds (RFC 9110 §10.2.3).
fn wait_asked(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
    seconds.map_or(WAIT, |it| Duration::from_secs(it).clamp(WAIT, LONGEST_WAIT))
}

fn token(answer: &BasicTokenResponse) -> Result<Token, Failure> {
    let header = format!("Bearer {}", answer.access_token().secret());
    let bearer = *answer.token_type() == BasicTokenType::Bearer;
    let authorization = sensitive_header(&header).filter(|_| bearer);
    let authorization = authorization.ok_or_else(|| Failure::unavailable("the token is no bearer token"))?;
    Ok(Token { authorization, lifetime: answer.expires_in().unwrap_or(DEFAULT_LIFETIME) })
}

/// An error code as RFC 6749 §5.2 knows them; anything else says nothing that we would repeat.
fn code(text: &str) -> String {
    let plain = text.len() <= 64 && text.chars().all(|it| it.is_ascii_alphanumeric() || "_-.".contains(it));
    if plain { text.to_owned() } else { "unspecified".to_owned() }
}

/// Oracle puts the cause into `error_uri`, as a URN: worth a log line, but cut to its characters.
fn printable(uri: &str) -> String {
    uri.chars().take(200).filter(|it| it.is_ascii_alphanumeric() || ":/-._~%#".contains(*it)).collect()
}
