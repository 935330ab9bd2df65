//! Updates, links and the cursor: one transaction. Content is not copied; only where it is.

use jiff::Timestamp;
use serde_json::Value;

use super::Outbound;
use super::relate::version_of;
use super::watch::{CONSENT, WatchError, is_depended_on};
use crate::consent;
use crate::store::{Noticed, NoticedConsent};
use crate::translation::to_partner::at_clinic;

impl Outbound {
    /// Owes what a page of a feed brought, and moves the cursor.
    pub(super) async fn record(
        &self,
        feed: &'static str,
        read_from: Option<Timestamp>,
        read_up_to: Timestamp,
        found: Vec<Value>,
    ) -> Result<usize, WatchError> {
        let mut noticed = Noticed { read_from, ..Noticed::nothing(feed, read_up_to) };
        if feed == CONSENT {
            self.tell_faults(&found);
            noticed.consents = found.iter().filter_map(|it| self.consent(it)).collect();
        } else if is_depended_on(feed) {
            noticed.changed = found.iter().map(version_of).collect();
        } else {
            let related = self.relate(&found).await?;
            (noticed.updates, noticed.links) = (related.updates, related.links);
        }
        let owed = self.store.record(noticed, self.clock.now()).await?;
        if owed > 0 {
            tracing::info!(feed, owed, "updates noticed at the clinic");
        }
        Ok(owed)
    }

    fn consent(&self, found: &Value) -> Option<NoticedConsent> {
        let patient = at_clinic(found["patient"]["reference"].as_str()?, self.clinic.base())?;
        Some(NoticedConsent { patient, version: consent::version_of(found) })
    }
}
