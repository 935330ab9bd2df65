//! What a running server shares between its connections and its owner.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{StatusCode, header, request};
use tokio::sync::watch;

use super::answer::{Answer, login_page, raw};
use super::faults::{Faults, Misbehaviour};
use super::messages;
use super::pouring::poured;
use super::refusal::Refusal;
use super::requests::{RecordedRequest, Requests};
use super::resources::Resources;
use super::routes::{Call, route};

/// The path of the FHIR base.
pub(super) const BASE_PATH: &str = "/fhir";

pub(super) struct State {
    pub(super) base_url: String,
    pub(super) faults: Faults,
    bearer_token: Mutex<Option<String>>,
    requests: Mutex<Requests>,
    resources: Mutex<Resources>,
    /// Counts changes of the content and arrivals of requests; whoever waits for something looks again.
    pub(super) changes: watch::Sender<u64>,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped, as ordered")]
pub(super) struct Dropped;

impl State {
    pub(super) fn new(base_url: String, bearer_token: Option<String>, resources: Resources) -> Self {
        Self {
            base_url,
            faults: Faults::default(),
            bearer_token: Mutex::new(bearer_token),
            requests: Mutex::default(),
            resources: Mutex::new(resources),
            changes: watch::Sender::new(0),
        }
    }

    pub(super) fn bearer_token(&self) -> MutexGuard<'_, Option<String>> {
        self.bearer_token.lock().expect("no holder of this lock panics")
    }

    pub(super) fn resources(&self) -> MutexGuard<'_, Resources> {
        self.resources.lock().expect("no holder of this lock panics")
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().expect("no holder of this lock panics")
    }

    /// Changes the content and wakes whoever waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Resources) -> T) -> T {
        let result = change(&mut self.resources());
        self.changes.send_modify(|it| *it += 1);
        result
    }

    /// Answers one request, or misbehaves as ordered.
    pub(super) async fn respond(
        self: &Arc<Self>,
        head: request::Parts,
        body: Bytes,
    ) -> Result<Response<Body>, Dropped> {
        let path_and_query = head.uri.path_and_query().map_or("", |it| it.as_str());
        let record = RecordedRequest::new(head.method.as_str(), path_and_query, &head.headers, body.clone());
        self.requests().push(record);
        self.changes.send_modify(|it| *it += 1);
        let Some(path) = head.uri.path().strip_prefix(BASE_PATH) else {
            return Ok(Answer::refused(&Refusal::not_found("the FHIR base is /fhir")).into_response());
        };
        let call = Call {
            method: head.method.as_str().to_owned(),
            path: path.trim_start_matches('/').to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
        };
        match self.faults.take(&call.method, &call.path) {
            Some(misbehaviour) => self.misbehave(misbehaviour, &call).await,
            None => Ok(self.answer(&call).into_response()),
        }
    }

    async fn misbehave(
        self: &Arc<Self>,
        fault: Misbehaviour,
        call: &Call,
    ) -> Result<Response<Body>, Dropped> {
        let answer = match fault {
            Misbehaviour::Status { status, retry_after, body } => {
                Answer::faulty(status, body).with_header(header::RETRY_AFTER, retry_after)
            }
            Misbehaviour::ApplyThenStatus(status) => {
                self.answer(call);
                Answer::faulty(status, None)
            }
            Misbehaviour::ApplyThenDrop => {
                self.answer(call);
                return Err(Dropped);
            }
            Misbehaviour::ApplyThenHang => {
                self.answer(call);
                std::future::pending().await
            }
            Misbehaviour::Slowly(time) => {
                tokio::time::sleep(time).await;
                self.answer(call)
            }
            Misbehaviour::ApplyLate { after, conditions_checked_at_arrival } => {
                let late = if conditions_checked_at_arrival { call.unconditional() } else { call.clone() };
                self.apply_later(late, after);
                std::future::pending().await
            }
            Misbehaviour::DropBeforeApply => return Err(Dropped),
            Misbehaviour::Hang => std::future::pending().await,
            Misbehaviour::Html => return Ok(login_page()),
            Misbehaviour::WrongContent(content) => Answer::plain(content),
            Misbehaviour::Raw { status, headers, body } => return Ok(raw(status, headers, body)),
            Misbehaviour::Replied(response) => {
                let manner = self.resources().messages.manner;
                messages::refused(call, manner, response, &self.base_url)
            }
            Misbehaviour::ApplyThenPour => {
                self.answer(call);
                return Ok(poured(None));
            }
            Misbehaviour::ApplyThenPourSoMuch(bytes) => {
                self.answer(call);
                return Ok(poured(Some(bytes)));
            }
            Misbehaviour::Meanwhile(event) => {
                let answer = self.answer(call);
                event.happen();
                answer
            }
            Misbehaviour::Redirect { status, location } => {
                Answer::faulty(status, None).with_header(header::LOCATION, Some(location))
            }
        };
        Ok(answer.into_response())
    }

    /// Of its own: the task that serves the connection ends when the client gives up.
    fn apply_later(self: &Arc<Self>, call: Call, after: Duration) {
        let state = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            state.answer(&call);
        });
    }

    fn answer(&self, call: &Call) -> Answer {
        self.resources().let_the_index_follow();
        let answer = self.check_token(call).and_then(|()| {
            if call.method == "GET" || call.path.ends_with("/_search") {
                return route(&mut self.resources(), call, &self.base_url);
            }
            self.change(|it| route(it, call, &self.base_url))
        });
        match answer {
            Ok(answer) => answer.minimal(call.header("prefer")),
            Err(refusal) => Answer::refused(&refusal),
        }
    }

    /// The CapabilityStatement is public, as on real servers.
    fn check_token(&self, call: &Call) -> Result<(), Refusal> {
        let expected = self.bearer_token().clone();
        let given = call.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
        if expected.is_none() || expected.as_deref() == given || call.path == "metadata" {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::UNAUTHORIZED, "login", "the access token is missing or wrong"))
    }
}
