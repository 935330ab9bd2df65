//! Polling the clinic with a durable cursor. Each look reaches a little behind the last one, since a server
//! may show a resource later than its `lastUpdated` says; what was seen before is owed once all the same.

use std::collections::BTreeSet;
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use crate::fhir::client::failure::Failure;
use crate::fhir::{bundle, resource};
use crate::model::work::StoreError;
use crate::store::Noticed;

/// What the clinic is asked for, in this order. Behind the updates come what decisions depend on, so that held
/// updates are decided again when it changes: Consents, whom they name, and what travels along with updates.
pub const FEEDS: [&str; 13] = [
    "Task",
    "Appointment",
    "Communication",
    "Composition",
    "DocumentReference",
    "DiagnosticReport",
    "CarePlan",
    CONSENT,
    "Group",
    "CareTeam",
    "PractitionerRole",
    "Organization",
    OBSERVATION,
];

const DEPENDED_ON: [&str; 5] = ["Group", "CareTeam", "PractitionerRole", "Organization", OBSERVATION];

/// Its labels are a report's: a report goes with its Observations.
const OBSERVATION: &str = "Observation";

/// Whether a feed brings what decisions depend on, and no updates.
pub(super) fn is_depended_on(feed: &str) -> bool {
    DEPENDED_ON.contains(&feed)
}

pub(super) const CONSENT: &str = "Consent";

const PAGE: &str = "200";

/// A server whose pages never end is a faulty one.
const MOST_PAGES: usize = 10_000;

/// A look at the clinic failed; the next one begins where this one began.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The clinic's server did not answer as it should.
    #[error("the clinic's server: {0}")]
    Clinic(#[from] Failure),
    /// The ledger did not.
    #[error("the ledger: {0}")]
    Store(#[from] StoreError),
}

/// Feeds that the clinic's server refused at the last look.
#[derive(Debug, Default)]
pub struct RefusedFeeds(Mutex<BTreeSet<&'static str>>);

impl RefusedFeeds {
    fn add(&self, feed: &'static str) -> bool {
        self.0.lock().expect("no holder of this lock panics").insert(feed)
    }

    fn remove(&self, feed: &'static str) -> bool {
        self.0.lock().expect("no holder of this lock panics").remove(feed)
    }
}

impl Outbound {
    /// Gives every feed a cursor. Called before the first referral can be written: that write turns the
    /// cursors back to its time, and what is not there cannot be turned back.
    pub async fn begin(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for feed in FEEDS {
            if self.store.read_up_to(feed).await?.is_none() {
                self.store.record(Noticed::nothing(feed, now), now).await?;
            }
        }
        Ok(())
    }

    /// Reads one feed. A server that does not know a resource type offers no such feed: that is said once,
    /// and the other feeds are read all the same.
    pub(super) async fn look_at(&self, feed: &'static str) -> Result<usize, WatchError> {
        match self.read_feed(feed).await {
            Err(WatchError::Clinic(failure)) if failure.is_lasting() => {
                if self.refused_feeds.add(feed) {
                    tracing::warn!(
                        feed,
                        http.status = failure.status(),
                        "the clinic's server refuses this feed"
                    );
                }
                Ok(0)
            }
            other => {
                if other.is_ok() && self.refused_feeds.remove(feed) {
                    tracing::info!(feed, "the clinic's server offers this feed again");
                }
                other
            }
        }
    }

    /// Reads one feed to its end. The cursor moves only with the last page: a server that does not sort as
    /// asked cannot make us miss anything.
    async fn read_feed(&self, feed: &'static str) -> Result<usize, WatchError> {
        let Some(read_up_to) = self.store.read_up_to(feed).await? else {
            self.begin().await?;
            return Ok(0);
        };
        let mut newest = read_up_to;
        let mut owed = 0;
        let mut page = Some(self.first_look(feed, read_up_to).await?);
        let mut pages = 0;
        while let Some(bundle) = page {
            pages += 1;
            if pages > MOST_PAGES {
                return Err(Failure::Unusable { what: "too-many-pages", may_have_happened: false }.into());
            }
            let found = resources(&bundle, feed);
            newest = found.iter().filter_map(resource::last_updated).fold(newest, Timestamp::max);
            page = self.clinic.next_page(&bundle).await?;
            let cursor = if page.is_some() { read_up_to } else { newest };
            owed += self.record(feed, Some(read_up_to), cursor, found).await?;
        }
        Ok(owed)
    }

    async fn first_look(&self, feed: &str, read_up_to: Timestamp) -> Result<Value, Failure> {
        let since = read_up_to.checked_sub(self.house.overlap).unwrap_or(read_up_to);
        let since = format!("ge{since}");
        let query = [("_lastUpdated", since.as_str()), ("_sort", "_lastUpdated"), ("_count", PAGE)];
        self.clinic.first_page(feed, &query).await
    }
}

fn resources(bundle: &Value, feed: &str) -> Vec<Value> {
    bundle::resources(bundle).filter(|it| resource::resource_type(it) == feed).cloned().collect()
}
