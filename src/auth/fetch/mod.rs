//! Keys that clients publish: read when they are needed, kept as long as their server allows.
//!
//! Source: SMART App Launch 2.2, client-confidential-asymmetric; smart.md row 2.3.

mod known;
mod lifetime;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use self::known::{Known, Step};
use self::read::{Found, PATIENCE};
use super::verify::{KeyName, KeysFault, PublicKeys, PublishedKeys};
use crate::fhir::client::{http_client, http_client_trusting};
use crate::model::client::KeyAddress;
use crate::model::clock::Clock;

/// Reads published keys, once for all who wait, and keeps them.
pub struct KeyFetcher {
    clock: Arc<dyn Clock>,
    /// Only addresses from settings come in here, so there are few; those of old settings stay, and cost nothing.
    places: Mutex<HashMap<KeyAddress, Arc<Place>>>,
}

/// One address.
struct Place {
    http: Result<reqwest::Client, KeysFault>,
    known: Mutex<Known>,
    /// Held while they are read: this is what makes it one request for all who wait. Who can use what is kept does not
    /// wait, so nobody can hold up a client by asking for keys that it does not have.
    reading: tokio::sync::Mutex<()>,
}

impl KeyFetcher {
    /// Nothing is read yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, places: Mutex::default() }
    }

    /// Reads them now, whatever is kept, and keeps nothing: for people who test an address.
    pub async fn look(address: &KeyAddress) -> Result<PublicKeys, KeysFault> {
        read::read(&client_for(address)?, &address.url, PATIENCE).await.map(|it| it.keys)
    }

    fn place(&self, address: &KeyAddress) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Place {
            http: client_for(address),
            known: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        };
        Arc::clone(places.entry(address.clone()).or_insert_with(|| Arc::new(new())))
    }

    async fn read(&self, place: &Place, address: &KeyAddress) -> Result<Found, KeysFault> {
        let found = read::read(place.http.as_ref().map_err(KeysFault::clone)?, &address.url, PATIENCE).await;
        let host = address.url.host_str().unwrap_or_default();
        match &found {
            Ok(found) => {
                let (keys, kept_s) = (found.keys.names().count(), found.lifetime.as_secs());
                tracing::info!(jwks.host = host, keys, kept_s, "a client's public keys were read");
                for problem in found.keys.problems() {
                    tracing::warn!(jwks.host = host, %problem, "a client's public key cannot be used");
                }
            }
            Err(error) => {
                tracing::warn!(jwks.host = host, %error, "a client's public keys cannot be read");
            }
        }
        found
    }
}

#[async_trait]
impl PublishedKeys for KeyFetcher {
    async fn keys(&self, address: &KeyAddress, wanted: &KeyName) -> Result<Arc<PublicKeys>, KeysFault> {
        let place = self.place(address);
        if let Some(answer) = place.at_once(wanted, self.clock.now()) {
            return answer;
        }
        let _reading = place.reading.lock().await;
        // Somebody may have read them while we waited.
        if let Some(answer) = place.at_once(wanted, self.clock.now()) {
            return answer;
        }
        let asked = self.clock.now();
        let found = self.read(&place, address).await;
        place.known().learn(found, wanted, asked, self.clock.now())
    }
}

impl Place {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be told without asking; none: ask.
    fn at_once(&self, wanted: &KeyName, now: Timestamp) -> Option<Result<Arc<PublicKeys>, KeysFault>> {
        match self.known().step(wanted, now) {
            Step::Use(keys) => Some(Ok(keys)),
            Step::Refuse(fault) => Some(Err(fault)),
            Step::Read => None,
        }
    }
}

fn client_for(address: &KeyAddress) -> Result<reqwest::Client, KeysFault> {
    match &address.issuers {
        Some(issuers) => http_client_trusting(issuers).map_err(|_| KeysFault::Issuers),
        None => Ok(http_client()),
    }
}
