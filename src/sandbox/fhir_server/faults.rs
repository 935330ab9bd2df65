//! How the server misbehaves, when it is told to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::Value;

use crate::fhir::message::Response;

/// One way to misbehave, towards one request or towards all.
#[derive(Clone, Debug)]
pub struct Fault {
    misbehaviour: Misbehaviour,
    method: Option<String>,
    path: String,
}

/// What happens instead of the proper answer.
#[derive(Clone, Debug)]
pub enum Misbehaviour {
    /// Nothing is done; this answer is given. Without a body the server makes up an OperationOutcome.
    Status {
        /// The HTTP status.
        status: u16,
        /// The text of the `Retry-After` header, right or wrong.
        retry_after: Option<String>,
        /// The body.
        body: Option<Value>,
    },
    /// The request takes effect; the answer is this error.
    ApplyThenStatus(u16),
    /// The request takes effect; the connection is closed without a byte of an answer.
    ApplyThenDrop,
    /// The request takes effect; no answer comes until the client gives up or the server stops.
    ApplyThenHang,
    /// The request takes effect and is answered as it should, both after this time.
    Slowly(Duration),
    /// No answer comes, and the request takes effect after this time, whether the client is still there or not.
    ApplyLate {
        /// How long the server takes.
        after: Duration,
        /// The conditions of its creates were looked at when it arrived, and found nothing: a server whose
        /// conditional create is not atomic.
        conditions_checked_at_arrival: bool,
    },
    /// Nothing is done; the connection is closed without a byte of an answer. The body was read: to the client
    /// this looks the same as [`Misbehaviour::ApplyThenDrop`].
    DropBeforeApply,
    /// Nothing is done; no answer comes until the client gives up or the server stops.
    Hang,
    /// Nothing is done; 200 with the HTML page of a login portal.
    Html,
    /// Nothing is done; 200 with this JSON.
    WrongContent(Value),
    /// Nothing is done; these bytes are given, whatever they are.
    Raw {
        /// The HTTP status.
        status: u16,
        /// Headers, right or wrong.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Bytes,
    },
    /// Nothing is done; a message is answered so, as by a receiver that did not do what it asks for.
    Replied(Response),
    /// The request takes effect; the answer's body never ends.
    ApplyThenPour,
    /// The request takes effect; the answer's body has so many bytes, and says so.
    ApplyThenPourSoMuch(u64),
    /// Nothing is done; the client is sent elsewhere.
    Redirect {
        /// The HTTP status, such as 307.
        status: u16,
        /// The text of the `Location` header.
        location: String,
    },
    /// The request takes effect and is answered as it should; before the answer, this happens.
    Meanwhile(Event),
}

/// Something that happens elsewhere while a request is under way.
#[derive(Clone)]
pub struct Event(Arc<dyn Fn() + Send + Sync>);

impl Event {
    pub(super) fn happen(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }
}

impl Fault {
    /// A fault of any request.
    pub const fn new(misbehaviour: Misbehaviour) -> Self {
        Self { misbehaviour, method: None, path: String::new() }
    }

    /// A status with an OperationOutcome.
    pub const fn status(status: u16) -> Self {
        Self::new(Misbehaviour::Status { status, retry_after: None, body: None })
    }

    /// A status with a `Retry-After` header.
    pub fn retry_after(status: u16, retry_after: &str) -> Self {
        let retry_after = Some(retry_after.to_owned());
        Self::new(Misbehaviour::Status { status, retry_after, body: None })
    }

    /// No fault of this server's: while it deals with the request, something happens elsewhere.
    pub fn meanwhile(event: impl Fn() + Send + Sync + 'static) -> Self {
        Self::new(Misbehaviour::Meanwhile(Event(Arc::new(event))))
    }

    /// The same fault for this method only, and for paths below the base that start like this: `Task` or
    /// `Task/7`. An empty path means all.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        path.clone_into(&mut self.path);
        self
    }

    fn concerns(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|it| it == method) && path.starts_with(&self.path)
    }
}

/// The faults that wait for their requests.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    /// Adds a fault for the next request that it concerns. Faults of the same requests come in order.
    pub fn push(&self, fault: Fault) {
        self.waiting().queue.push_back(fault);
    }

    /// Sets the fault of every request that it concerns and no queued fault takes; none ends it.
    pub fn always(&self, fault: Option<Fault>) {
        self.waiting().always = fault;
    }

    /// Forgets all faults.
    pub fn clear(&self) {
        *self.waiting() = Waiting::default();
    }

    /// How many queued faults have not met their request.
    pub fn pending(&self) -> usize {
        self.waiting().queue.len()
    }

    pub(super) fn take(&self, method: &str, path: &str) -> Option<Misbehaviour> {
        let mut waiting = self.waiting();
        if let Some(position) = waiting.queue.iter().position(|it| it.concerns(method, path)) {
            return waiting.queue.remove(position).map(|it| it.misbehaviour);
        }
        waiting.always.as_ref().filter(|it| it.concerns(method, path)).map(|it| it.misbehaviour.clone())
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
