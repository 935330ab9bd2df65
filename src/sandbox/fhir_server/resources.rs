//! What the server holds: every version of every resource, in the order of creation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::capability::Offers;
use super::messages::Messages;
use super::refusal::Refusal;
use super::stored::{Kind, Version};
use crate::fhir::resource::{id, resource_type};
use crate::model::clock::Clock;

/// Whether two versions may have the same `meta.lastUpdated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// Each version is at least a millisecond after the one before, even where the clock stands still.
    #[default]
    Distinct,
    /// The clock's time is used as it is, as a busy server does.
    MayRepeat,
}

/// Whether the search finds what was just written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchIndex {
    /// At once.
    #[default]
    Current,
    /// Not until it is current again: neither searches nor conditional creates see later writes.
    Lagging,
    /// A write is found this long after it, by the server's clock.
    Behind(Duration),
}

/// The content of a server.
pub struct Resources {
    clock: Arc<dyn Clock>,
    pub(super) times: Times,
    pub(super) offers: Offers,
    pub(super) index: SearchIndex,
    pub(super) messages: Messages,
    latest: Timestamp,
    kinds: BTreeMap<String, Kind>,
    /// Type and position of every write, so that a failed transaction can be taken back.
    journal: Vec<(String, usize)>,
}

impl Resources {
    /// The present version of a resource; none where it does not exist or is deleted.
    pub fn read(&self, resource_type: &str, id: &str) -> Option<&Value> {
        let kind = self.kinds.get(resource_type)?;
        kind.find(id).and_then(|position| kind.stored[position].present())
    }

    /// The present versions of all resources of a type, in the order of creation.
    pub fn all(&self, resource_type: &str) -> Vec<&Value> {
        let stored = self.kinds.get(resource_type).into_iter().flat_map(|it| &it.stored);
        stored.filter_map(|it| it.present()).collect()
    }

    pub(super) fn new(clock: Arc<dyn Clock>, times: Times) -> Self {
        Self {
            clock,
            times,
            offers: Offers::default(),
            index: SearchIndex::Current,
            messages: Messages::default(),
            latest: Timestamp::UNIX_EPOCH,
            kinds: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn kind(&self, resource_type: &str) -> Option<&Kind> {
        self.kinds.get(resource_type)
    }

    /// Makes what was written findable.
    pub(super) fn catch_up(&mut self) {
        self.index = SearchIndex::Current;
        self.kinds.values_mut().flat_map(|it| &mut it.stored).for_each(|it| it.indexed = it.versions.len());
    }

    /// Makes findable what was written long enough ago, where the index is behind by a time.
    pub(super) fn let_the_index_follow(&mut self) {
        let SearchIndex::Behind(lag) = self.index else { return };
        let Ok(known) = self.clock.now().checked_sub(lag) else { return };
        for stored in self.kinds.values_mut().flat_map(|it| &mut it.stored) {
            stored.indexed = stored.versions.partition_point(|it| it.at <= known);
        }
    }

    /// Every version of every resource of a type, in the order of writing.
    pub(super) fn history(&self, resource_type: &str) -> Vec<Value> {
        let stored = self.kinds.get(resource_type).into_iter().flat_map(|it| &it.stored);
        let mut versions: Vec<_> = stored.flat_map(|it| &it.versions).collect();
        versions.sort_by_key(|it| it.at);
        versions.into_iter().filter_map(|it| it.resource.clone()).collect()
    }

    /// The next id that the server would give to a resource of this type.
    pub(super) fn reserve_id(&mut self, resource_type: &str) -> String {
        let kind = self.kinds.entry(resource_type.to_owned()).or_default();
        kind.last_id += 1;
        kind.last_id.to_string()
    }

    pub(super) fn create(&mut self, resource: Value) -> Value {
        let id = self.reserve_id(resource_type(&resource));
        self.write(&id, resource)
    }

    /// Writes the next version. A resource that is not there yet is created under the sender's id,
    /// which must not look like one of ours.
    pub(super) fn update(&mut self, resource: Value, if_match: Option<&str>) -> Result<Value, Refusal> {
        let (resource_type, id) = (resource_type(&resource).to_owned(), id(&resource).to_owned());
        let known = self.kinds.get(&resource_type).and_then(|it| Some(&it.stored[it.find(&id)?]));
        let version = known.map(|it| it.versions.len());
        if let Some(wanted) = if_match {
            let wanted = wanted.trim_start_matches("W/").trim_matches('"');
            if version.map(|it| it.to_string()).as_deref() != Some(wanted) {
                let text = format!("{resource_type}/{id} is not at version {wanted}");
                return Err(Refusal::precondition(text));
            }
        }
        if known.is_none() && id.bytes().all(|it| it.is_ascii_digit()) {
            return Err(Refusal::not_found(format!("{resource_type}/{id} is not known")));
        }
        Ok(self.write(&id, resource))
    }

    pub(super) fn delete(&mut self, resource_type: &str, id: &str) {
        let at = self.stamp();
        let Some(kind) = self.kinds.get_mut(resource_type) else { return };
        let Some(position) = kind.find(id) else { return };
        if kind.stored[position].present().is_some() {
            kind.append(position, Version { at, resource: None }, self.index);
            self.journal.push((resource_type.to_owned(), position));
        }
    }

    /// One version; the present one where none is named.
    pub(super) fn version(
        &self,
        resource_type: &str,
        id: &str,
        version: Option<&str>,
    ) -> Result<&Value, Refusal> {
        let unknown = || Refusal::not_found(format!("{resource_type}/{id} is not known"));
        let kind = self.kinds.get(resource_type).ok_or_else(unknown)?;
        let stored = &kind.stored[kind.find(id).ok_or_else(unknown)?];
        let number = version.map_or(Some(stored.versions.len()), |it| it.parse().ok());
        let found = number.and_then(|it| stored.versions.get(it.checked_sub(1)?)).ok_or_else(unknown)?;
        let gone = || Refusal::new(StatusCode::GONE, "deleted", format!("{resource_type}/{id} was deleted"));
        found.resource.as_ref().ok_or_else(gone)
    }

    /// A point to which [`Resources::roll_back`] can return.
    pub(super) fn checkpoint(&self) -> usize {
        self.journal.len()
    }

    /// Takes back every write since the checkpoint. Ids that were given stay used, as on real servers.
    pub(super) fn roll_back(&mut self, checkpoint: usize) {
        for (resource_type, position) in self.journal.split_off(checkpoint).into_iter().rev() {
            if let Some(kind) = self.kinds.get_mut(&resource_type) {
                kind.take_back(position);
            }
        }
    }

    /// Writes a version under an id that is known or reserved.
    pub(super) fn write(&mut self, id: &str, resource: Value) -> Value {
        let at = self.stamp();
        let resource_type = resource_type(&resource).to_owned();
        let kind = self.kinds.entry(resource_type.clone()).or_default();
        let position = kind.find(id).unwrap_or_else(|| kind.add(id));
        let number = kind.stored[position].versions.len() + 1;
        let resource = stamped(resource, id, number, at);
        kind.append(position, Version { at, resource: Some(resource.clone()) }, self.index);
        self.journal.push((resource_type, position));
        resource
    }

    fn stamp(&mut self) -> Timestamp {
        // Cut, not rounded: nothing is written in the future.
        let now = Timestamp::from_millisecond(self.clock.now().as_millisecond()).unwrap_or(self.latest);
        let least = match self.times {
            Times::Distinct => self.latest + Duration::from_millis(1),
            Times::MayRepeat => self.latest,
        };
        self.latest = now.max(least);
        self.latest
    }
}

/// The resource with its id and `meta` set by the server: id and meta first, as servers write them.
fn stamped(resource: Value, id: &str, number: usize, at: Timestamp) -> Value {
    let mut rest = match resource {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let mut meta = rest.remove("meta").filter(Value::is_object).unwrap_or_else(|| json!({}));
    meta["versionId"] = json!(number.to_string());
    meta["lastUpdated"] = json!(format!("{at:.3}"));
    let resource_type = rest.remove("resourceType").unwrap_or_default();
    rest.remove("id");
    let mut map = Map::new();
    map.insert("resourceType".to_owned(), resource_type);
    map.insert("id".to_owned(), json!(id));
    map.insert("meta".to_owned(), meta);
    map.extend(rest);
    Value::Object(map)
}
