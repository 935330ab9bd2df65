//! One token for many requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::exchange::{Exchange, Failure};
use crate::fhir::client::token::{TokenError, TokenSource};
use crate::model::clock::Clock;

/// How long before its end a token is no longer used, so that it does not end on the way
/// (smart.md row 6.4).
const MARGIN: Duration = Duration::from_secs(30);

/// Keeps a token until it ends, and fetches the next once for all who wait.
///
/// A failure is kept for a moment too: those who waited behind it must not ask one after the other.
pub(super) struct GrantedTokens {
    exchange: Exchange,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
}

impl GrantedTokens {
    pub(super) fn new(exchange: Exchange, clock: Arc<dyn Clock>) -> Self {
        Self { exchange, clock, held: Mutex::new(None) }
    }

    async fn fetch(&self) -> Held {
        let answer = self.exchange.ask(self.clock.now()).await;
        let now = self.clock.now();
        match answer {
            Ok(token) => Held {
                until: later(now, token.lifetime.saturating_sub(MARGIN)),
                answer: Ok(token.authorization),
            },
            Err(Failure { error, wait, .. }) => Held { until: later(now, wait), answer: Err(error) },
        }
    }
}

#[async_trait]
impl TokenSource for GrantedTokens {
    async fn authorization(&self) -> Result<Option<HeaderValue>, TokenError> {
        // Held across the request on purpose: this is what makes it one request.
        let mut held = self.held.lock().await;
        if let Some(it) = held.as_ref().filter(|it| self.clock.now() < it.until) {
            return it.answer.clone().map(Some);
        }
        held.insert(self.fetch().await).answer.clone().map(Some)
    }

    /// Drops a token; a failure stays, so that a 401 does not become a way around its wait.
    async fn forget(&self) {
        self.held.lock().await.take_if(|it| it.answer.is_ok());
    }
}

struct Held {
    answer: Result<HeaderValue, TokenError>,
    until: Timestamp,
}

/// A time that cannot be told is taken as now: ask again.
fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}
