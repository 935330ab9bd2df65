//! A small FHIR R4 server in memory: generic over resource types, honest about versions, conditions,
//! transactions and paging, and able to misbehave on request.
//!
//! What it leaves out: validation of content, referential integrity, history lists, includes, batches, patches,
//! XML, and the raw form of Binary.

mod answer;
mod capability;
mod criterion;
mod faults;
mod listen;
mod messages;
mod pouring;
mod refusal;
mod requests;
mod resources;
mod routes;
mod search;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod transaction;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use self::listen::{Listening, bind};
use self::state::{BASE_PATH, State};
use crate::model::clock::{Clock, SystemClock};

pub use self::capability::Offers;
pub use self::faults::{Fault, Faults, Misbehaviour};
pub use self::messages::Messaging;
pub use self::requests::RecordedRequest;
pub use self::resources::{Resources, SearchIndex, Times};

/// How a server is to run.
pub struct FhirServerOptions {
    /// The port on 127.0.0.1; 0 means any free one.
    pub port: u16,
    /// The token that every request but `GET /metadata` must carry; none lets everybody in.
    pub bearer_token: Option<String>,
    /// Where `meta.lastUpdated` comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether two versions may have the same time.
    pub times: Times,
}

impl Default for FhirServerOptions {
    fn default() -> Self {
        Self { port: 0, bearer_token: None, clock: Arc::new(SystemClock), times: Times::Distinct }
    }
}

/// A running server. Clones are the same server; dropping the last ends it.
#[derive(Clone)]
pub struct FhirServer {
    state: Arc<State>,
    port: u16,
    listening: Arc<Mutex<Option<Listening>>>,
}

impl FhirServer {
    /// Starts a server without content.
    pub async fn start(options: FhirServerOptions) -> std::io::Result<Self> {
        let (listener, address) = bind(options.port).await?;
        let base_url = format!("http://{address}{BASE_PATH}");
        let resources = Resources::new(options.clock, options.times);
        let state = Arc::new(State::new(base_url, options.bearer_token, resources));
        let listening = Listening::start(listener, Arc::clone(&state));
        Ok(Self { state, port: address.port(), listening: Arc::new(Mutex::new(Some(listening))) })
    }

    /// Stops answering. The content stays, and can be read and changed in process.
    pub async fn stop(&self) {
        let listening = self.listening().take();
        if let Some(listening) = listening {
            listening.stop().await;
        }
    }

    /// Answers again at the same address after [`FhirServer::stop`].
    pub async fn restart(&self) -> std::io::Result<()> {
        self.stop().await;
        let (listener, _) = bind(self.port).await?;
        *self.listening() = Some(Listening::start(listener, Arc::clone(&self.state)));
        Ok(())
    }

    /// The FHIR base address, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// The time by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.state.resources().now()
    }

    /// The faults to come.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// Changes the token that requests must carry: the old one has expired.
    pub fn set_bearer_token(&self, token: Option<&str>) {
        *self.state.bearer_token() = token.map(str::to_owned);
    }

    /// Sets whether and when searches find later writes. When the index becomes current it finds all.
    pub fn set_search_index(&self, index: SearchIndex) {
        self.state.change(|it| match index {
            SearchIndex::Current => it.catch_up(),
            lags => it.index = lags,
        });
    }

    /// Sets whether later versions may have the same time.
    pub fn set_times(&self, times: Times) {
        self.state.resources().times = times;
    }

    /// Sets what the server offers, says that it offers, and does.
    pub fn set_offers(&self, offers: Offers) {
        self.state.resources().offers = offers;
    }

    /// Sets how the server receives messages.
    pub fn set_messaging(&self, messaging: Messaging) {
        self.state.resources().messages.manner = messaging;
    }

    /// Creates a resource under an id of the server and gives it as stored.
    pub fn create(&self, resource: Value) -> Value {
        self.state.change(|it| it.create(resource))
    }

    /// Writes the next version of a resource and gives it as stored. Its `id` must be one of this server,
    /// or hold a letter.
    ///
    /// # Panics
    /// When it is neither.
    pub fn update(&self, resource: Value) -> Value {
        let written = self.state.change(|it| it.update(resource, None));
        written.expect("the caller read the resource from this server or chose an id with a letter")
    }

    /// Deletes a resource; reading it is answered with 410 from then on.
    pub fn delete(&self, resource_type: &str, id: &str) {
        self.state.change(|it| it.delete(resource_type, id));
    }

    /// The present version of a resource.
    pub fn read(&self, resource_type: &str, id: &str) -> Option<Value> {
        self.state.resources().read(resource_type, id).cloned()
    }

    /// The present versions of all resources of a type, in the order of creation.
    pub fn all(&self, resource_type: &str) -> Vec<Value> {
        self.state.resources().all(resource_type).into_iter().cloned().collect()
    }

    /// Every version of every resource of a type, in the order of writing.
    pub fn history(&self, resource_type: &str) -> Vec<Value> {
        self.state.resources().history(resource_type)
    }

    /// What arrived over HTTP, in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests().all()
    }

    /// Forgets what arrived.
    pub fn clear_requests(&self) {
        *self.state.requests() = requests::Requests::default();
    }

    /// Waits until the content is as asked; false when it was not in time.
    #[must_use = "the wait may have run out"]
    pub async fn wait_until(&self, mut holds: impl FnMut(&Resources) -> bool, timeout: Duration) -> bool {
        self.wait(|state| holds(&state.resources()).then_some(()), timeout).await.is_some()
    }

    /// Waits until something can be found in the content.
    pub async fn wait_for<T>(
        &self,
        mut find: impl FnMut(&Resources) -> Option<T>,
        timeout: Duration,
    ) -> Option<T> {
        self.wait(|state| find(&state.resources()), timeout).await
    }

    /// Waits until the requests that arrived are as asked; false when they were not in time.
    #[must_use = "the wait may have run out"]
    pub async fn wait_for_requests(
        &self,
        mut holds: impl FnMut(&[RecordedRequest]) -> bool,
        timeout: Duration,
    ) -> bool {
        self.wait(|state| holds(&state.requests().all()).then_some(()), timeout).await.is_some()
    }

    async fn wait<T>(&self, mut find: impl FnMut(&State) -> Option<T>, timeout: Duration) -> Option<T> {
        let mut changes = self.state.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = find(&self.state) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(timeout, found).await.ok().flatten()
    }

    fn listening(&self) -> std::sync::MutexGuard<'_, Option<Listening>> {
        self.listening.lock().expect("no holder of this lock panics")
    }
}
