//! One request for published keys.

use std::time::Duration;

use http::StatusCode;
use http::header::ACCEPT;
use url::Url;

use super::lifetime::lifetime;
use crate::auth::verify::{KeysFault, PublicKeys, read_jwks};
use crate::fhir::client::cause;

/// How long a client's server may take for its keys: somebody waits for a token.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document, in bytes: some hundred keys with their certificates.
const LARGEST: usize = 256 * 1024;

/// What was read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) keys: PublicKeys,
    /// How long it may be kept from the moment at which it was asked for.
    pub(super) lifetime: Duration,
}

/// Reads the document once. `http` follows no redirects and has no credentials.
pub(super) async fn read(http: &reqwest::Client, url: &Url, patience: Duration) -> Result<Found, KeysFault> {
    let fault = |error| KeysFault::NoAnswer(cause::words(&error));
    let request = http.get(url.clone()).header(ACCEPT, "application/json").timeout(patience);
    let mut answer = request.send().await.map_err(fault)?;
    if answer.status() != StatusCode::OK {
        return Err(KeysFault::Status(answer.status().as_u16()));
    }
    let lifetime = lifetime(answer.headers());
    let mut document = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(fault)? {
        if document.len() + chunk.len() > LARGEST {
            return Err(KeysFault::TooLarge(LARGEST));
        }
        document.extend_from_slice(&chunk);
    }
    let keys = read_jwks(&document).map_err(KeysFault::NotAKeySet)?;
    Ok(Found { keys, lifetime })
}
