//! The resources of one type, and a small index, so that conditional creates stay quick in a load test.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::resources::SearchIndex;

/// One version; without content where it is the deletion.
pub(super) struct Version {
    pub(super) at: Timestamp,
    pub(super) resource: Option<Value>,
}

/// One resource. Version `n` is at `n - 1`.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) versions: Vec<Version>,
    /// How many versions the search knows of.
    pub(super) indexed: usize,
}

impl Stored {
    pub(super) fn present(&self) -> Option<&Value> {
        self.versions.last().and_then(|it| it.resource.as_ref())
    }

    /// The version that the search goes by.
    pub(super) fn searchable(&self) -> Option<(&Value, Timestamp)> {
        let version = self.versions.get(self.indexed.checked_sub(1)?)?;
        Some((version.resource.as_ref()?, version.at))
    }
}

/// All resources of one type, in the order of creation.
#[derive(Default)]
pub(super) struct Kind {
    pub(super) stored: Vec<Stored>,
    pub(super) last_id: u64,
    by_id: HashMap<String, usize>,
    /// Positions by identifier value. May name too many: whoever uses it compares again.
    by_identifier: HashMap<String, Vec<usize>>,
}

impl Kind {
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Where resources with one of these identifier values may be, in the order of creation.
    pub(super) fn with_identifier<'v>(&self, values: impl Iterator<Item = &'v str>) -> Vec<usize> {
        let lists = values.filter_map(|it| self.by_identifier.get(it));
        let mut positions: Vec<usize> =
            lists.flatten().copied().filter(|it| *it < self.stored.len()).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    pub(super) fn add(&mut self, id: &str) -> usize {
        let position = self.stored.len();
        self.stored.push(Stored { id: id.to_owned(), versions: Vec::new(), indexed: 0 });
        self.by_id.insert(id.to_owned(), position);
        position
    }

    pub(super) fn append(&mut self, position: usize, version: Version, index: SearchIndex) {
        let identifiers = version.resource.as_ref().map(identifier_values).unwrap_or_default();
        for value in identifiers {
            self.by_identifier.entry(value).or_default().push(position);
        }
        let stored = &mut self.stored[position];
        stored.versions.push(version);
        if index == SearchIndex::Current {
            stored.indexed = stored.versions.len();
        }
    }

    /// Removes the newest version, and the resource where it was the only one. Called in reverse order of the
    /// writes, so that a resource to remove is the last one.
    pub(super) fn take_back(&mut self, position: usize) {
        let stored = &mut self.stored[position];
        stored.versions.pop();
        stored.indexed = stored.indexed.min(stored.versions.len());
        if stored.versions.is_empty() {
            let id = std::mem::take(&mut stored.id);
            self.by_id.remove(&id);
            self.stored.pop();
        }
    }
}

/// The identifiers' values; `identifier` is a list on most types and an object on a few.
fn identifier_values(resource: &Value) -> Vec<String> {
    super::search::values_at(resource, "identifier.value")
        .into_iter()
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}
