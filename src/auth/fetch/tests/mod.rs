//! Keys that clients publish, read over real HTTP; the clock is a test's.

mod keeping;
mod reading;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::auth::verify::testing::{ec_jwk, rsa_jwk, serve};
use crate::model::clock::TestClock;

/// A server that publishes keys, and counts how often it is asked.
struct Publisher {
    address: KeyAddress,
    said: Arc<Mutex<Said>>,
    clock: Arc<TestClock>,
    fetcher: Arc<KeyFetcher>,
}

#[derive(Default)]
struct Said {
    document: String,
    cache_control: &'static str,
    status: StatusCode,
    asked: Vec<HeaderMap>,
}

impl Publisher {
    async fn of(keys: &[Value]) -> Self {
        let said = Arc::new(Mutex::new(Said { cache_control: "max-age=60", ..Said::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap()).parse().unwrap();
        let router = Router::new().route("/jwks.json", get(answer)).with_state(Arc::clone(&said));
        tokio::spawn(serve(listener, router));
        let clock = Arc::new(TestClock::at(Timestamp::from_second(1_800_000_000).unwrap()));
        let fetcher = Arc::new(KeyFetcher::new(clock.clone()));
        let publisher = Self { address: KeyAddress { url, issuers: None }, said, clock, fetcher };
        publisher.publish(keys);
        publisher
    }

    fn publish(&self, keys: &[Value]) {
        self.say(|it| it.document = json!({ "keys": keys }).to_string());
    }

    fn say(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.said.lock().unwrap().asked.len()
    }

    fn after(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Whether the key of this id can be used now.
    async fn has(&self, key_id: &str) -> bool {
        self.fetcher.keys(&self.address, &named(key_id)).await.is_ok_and(|it| it.has(&named(key_id)))
    }

    async fn fault(&self) -> KeysFault {
        self.fetcher.keys(&self.address, &named("a")).await.unwrap_err()
    }
}

async fn answer(State(said): State<Arc<Mutex<Said>>>, headers: HeaderMap) -> Response {
    let mut said = said.lock().unwrap();
    said.asked.push(headers);
    let cache_control = [("cache-control", said.cache_control), ("location", "/elsewhere")];
    (said.status, cache_control, said.document.clone()).into_response()
}

fn named(key_id: &str) -> KeyName {
    KeyName { key_id: key_id.to_owned(), algorithm: Algorithm::ES384 }
}
