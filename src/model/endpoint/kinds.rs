//! What a server does not take in the way that it says, while it takes everything else (reference: delivery B7).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A kind of writing that is not tried at a server for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SuspendedKind {
    /// Which, as [`Delivery::kind`](crate::model::delivery::Delivery::kind) names it.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
    /// What the server said of itself when it was looked at first since then, as a digest.
    offer: Option<String>,
}

/// Those of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SuspendedKinds(Vec<SuspendedKind>);

impl SuspendedKinds {
    pub(super) fn all(&self) -> &[SuspendedKind] {
        &self.0
    }

    pub(super) fn suspend(&mut self, kind: &str, now: Timestamp) {
        if self.0.iter().all(|it| it.kind != kind) {
            self.0.push(SuspendedKind { kind: kind.to_owned(), since: now, offer: None });
        }
    }

    /// The server says this of itself. Kinds that were suspended when it said something else are lifted; true:
    /// there were some.
    pub(super) fn offered(&mut self, offer: &str) -> bool {
        let before = self.0.len();
        self.0.retain_mut(|it| it.offer.get_or_insert_with(|| offer.to_owned()) == offer);
        self.0.len() < before
    }

    pub(super) fn lift(&mut self) {
        self.0.clear();
    }
}
