//! Tokens that we ask for: at the clinic's server and at the partners'.

mod exchange;
mod granted;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use jiff::Timestamp;

use super::keys::folder::KeyFolder;
use super::keys::{AssertionKey, KeyProblem};
use crate::fhir::client::token::{TokenError, TokenSource};
use crate::model::clock::Clock;
use crate::model::partner::{Credentials, OwnKey};
use exchange::{Exchange, Proof, ToldTime};
use granted::GrantedTokens;

/// Why credentials cannot be used. Never holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsProblem {
    /// A token or password with characters that no header can carry, often a line end.
    #[error("cannot be sent in a header: look for a line end or other control character")]
    NotAHeader,
    /// HTTP Basic could not tell where the name ends (RFC 7617 §2).
    #[error("has a colon in the user name")]
    ColonInName,
    /// The settings name no key and no folder of keys.
    #[error("name no `private_key_file`, and there is no `keys.directory`")]
    NoFolder,
    /// The private key.
    #[error(transparent)]
    Key(#[from] KeyProblem),
}

/// Makes the source of `Authorization` headers for one server.
///
/// `http` is for the token endpoint; it must not follow redirects, which could carry a secret away, and should
/// have a timeout. `folder` is that of our keys that take turns.
pub fn token_source(
    credentials: &Credentials,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    folder: Option<&Arc<KeyFolder>>,
) -> Result<Arc<dyn TokenSource>, CredentialsProblem> {
    Ok(match way(credentials, http, folder)? {
        Way::Fixed(header) => Arc::new(Fixed(header)),
        Way::Asked(exchange) => Arc::new(GrantedTokens::new(*exchange, clock)),
    })
}

/// What came of asking for a token once.
pub struct Probe {
    /// The header to send, or none where the server asks for nothing; or what happened, in words of ours.
    pub header: Result<Option<HeaderValue>, String>,
    /// True: a token endpoint was asked.
    pub asked: bool,
    /// When it was by that server's clock as it answered, if it said so.
    pub told_time: Option<Timestamp>,
}

/// Asks once, whatever was asked before: for people who test a server.
pub async fn probe(
    credentials: &Credentials,
    now: Timestamp,
    http: reqwest::Client,
    folder: Option<&Arc<KeyFolder>>,
) -> Result<Probe, CredentialsProblem> {
    let exchange = match way(credentials, http, folder)? {
        Way::Fixed(header) => return Ok(Probe { header: Ok(header), asked: false, told_time: None }),
        Way::Asked(exchange) => exchange,
    };
    let told = ToldTime::default();
    let header = exchange.ask_and_compare(now, &told).await;
    let told_time = *told.lock().unwrap_or_else(PoisonError::into_inner);
    let header = header.map(|it| Some(it.authorization)).map_err(|it| it.words);
    Ok(Probe { header, asked: true, told_time })
}

/// How the header comes about.
enum Way {
    Fixed(Option<HeaderValue>),
    Asked(Box<Exchange>),
}

fn way(
    credentials: &Credentials,
    http: reqwest::Client,
    folder: Option<&Arc<KeyFolder>>,
) -> Result<Way, CredentialsProblem> {
    let (grant, proof) = match credentials {
        Credentials::None => return Ok(Way::Fixed(None)),
        Credentials::Bearer(token) => return fixed(&format!("Bearer {}", token.reveal())),
        Credentials::Basic { username, .. } if username.contains(':') => {
            return Err(CredentialsProblem::ColonInName);
        }
        Credentials::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
            return fixed(&format!("Basic {pair}"));
        }
        Credentials::ClientSecret { grant, client_secret, place } => {
            (grant, Proof::Secret(client_secret.clone(), *place))
        }
        Credentials::PrivateKeyJwt { grant, key: OwnKey::Given { private_key, key_id, algorithm } } => {
            (grant, Proof::Key(AssertionKey::read(private_key.reveal(), key_id, *algorithm)?))
        }
        Credentials::PrivateKeyJwt { grant, key: OwnKey::InTurn(algorithm) } => {
            let folder = folder.ok_or(CredentialsProblem::NoFolder)?;
            (grant, Proof::InTurn(Arc::clone(folder), *algorithm))
        }
    };
    Ok(Way::Asked(Box::new(Exchange { grant: grant.clone(), proof, http })))
}

/// The same header each time, or none.
struct Fixed(Option<HeaderValue>);

#[async_trait]
impl TokenSource for Fixed {
    async fn authorization(&self) -> Result<Option<HeaderValue>, TokenError> {
        Ok(self.0.clone())
    }

    /// There is no other token to be had.
    async fn forget(&self) {}
}

fn fixed(text: &str) -> Result<Way, CredentialsProblem> {
    let header = sensitive_header(text).ok_or(CredentialsProblem::NotAHeader)?;
    Ok(Way::Fixed(Some(header)))
}

fn sensitive_header(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
