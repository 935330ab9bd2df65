//! Polling the clinic with a durable cursor. Each look reaches a little behind the last one, since a server
//! may show a resource later than its `lastUpdated` says; what was seen before is owed once all the same.

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use crate::fhir::client::failure::Failure;
use crate::fhir::{bundle, resource};
use crate::model::work::StoreError;

/// What the clinic is asked for, in this order. Consents are watched so that held updates are decided again.
pub const FEEDS: [&str; 8] = [
    "Task",
    "Appointment",
    "Communication",
    "Composition",
    "DocumentReference",
    "DiagnosticReport",
    "CarePlan",
    CONSENT,
];

pub(super) const CONSENT: &str = "Consent";

const PAGE: &str = "200";

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

impl Outbound {
    /// Reads one feed to its end. The cursor moves only with the last page: a server that does not sort as
    /// asked cannot make us miss anything.
    pub(super) async fn read_feed(&self, feed: &'static str) -> Result<usize, WatchError> {
        let now = self.clock.now();
        let Some(read_up_to) = self.store.read_up_to(feed).await? else {
            // Nothing at the clinic is ours yet. The first write there turns every cursor back to its time.
            return self.record(feed, None, now, Vec::new()).await;
        };
        let mut newest = read_up_to;
        let mut owed = 0;
        let mut page = Some(self.first_look(feed, read_up_to).await?);
        while let Some(bundle) = page {
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
