//! A search: which resources, in which order, which page.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::criterion::Criterion;
use super::refusal::Refusal;
use super::resources::Resources;
use super::stored::{Kind, Stored};
use crate::fhir::bundle::searchset;
use crate::fhir::resource::id;

/// The parameter that carries on from the page before. Opaque to clients.
const CURSOR: &str = "_cursor";
const DEFAULT_COUNT: usize = 50;
const MAX_COUNT: usize = 500;

/// A read search request.
pub(super) struct Search {
    criteria: Vec<Criterion>,
    order: Order,
    count: usize,
    after: Option<Place>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Creation,
    Oldest,
    Newest,
}

/// Where a resource stands in the order: its time (nothing where the order is by creation), then its position,
/// so that equal times still have one order.
type Place = (i64, usize);

impl Search {
    pub(super) fn parse(query: &str, base: &str) -> Result<Self, Refusal> {
        let mut search =
            Self { criteria: Vec::new(), order: Order::Creation, count: DEFAULT_COUNT, after: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            search.take(&name, &value, base)?;
        }
        Ok(search)
    }

    fn take(&mut self, name: &str, value: &str, base: &str) -> Result<(), Refusal> {
        let bad = || Refusal::bad_request(format!("the value of {name} cannot be read"));
        match name {
            "_sort" => self.order = order(value).ok_or_else(bad)?,
            "_count" => self.count = value.parse::<usize>().map_err(|_| bad())?.min(MAX_COUNT),
            CURSOR => self.after = Some(place(value).ok_or_else(bad)?),
            // How the answer is written makes no difference to what is found.
            "_format" | "_pretty" | "_total" => {}
            _ => self.criteria.push(Criterion::parse(name, value, base)?),
        }
        Ok(())
    }

    /// The ids of everything that matches: what a conditional create asks.
    pub(super) fn ids(&self, resources: &Resources, resource_type: &str) -> Vec<String> {
        let Some(kind) = resources.kind(resource_type) else { return Vec::new() };
        self.places(kind).into_iter().map(|(_, position)| kind.stored[position].id.clone()).collect()
    }

    /// One page as a searchset. `query` is repeated in the links.
    pub(super) fn page(&self, resources: &Resources, address: &str, query: &str) -> Value {
        let resource_type = address.rsplit('/').next().unwrap_or_default();
        let Some(kind) = resources.kind(resource_type) else {
            return with_links(searchset(Vec::new()), 0, address, query, None);
        };
        let places = self.places(kind);
        let total = places.len();
        let mut rest =
            places.into_iter().filter(|it| self.after.is_none_or(|after| self.is_later(*it, after)));
        let page: Vec<Place> = rest.by_ref().take(self.count).collect();
        let next = rest.next().and_then(|_| page.last().copied());
        let found = page.iter().filter_map(|it| kind.stored[it.1].present());
        let matches = found.map(|it| (format!("{address}/{}", id(it)), it.clone())).collect();
        with_links(searchset(matches), total, address, query, next)
    }

    fn places(&self, kind: &Kind) -> Vec<Place> {
        let mut places: Vec<Place> = match self.identifiers() {
            Some(values) => kind.with_identifier(values.into_iter()),
            None => (0..kind.stored.len()).collect(),
        }
        .into_iter()
        .filter_map(|position| Some((self.time(self.matching(&kind.stored[position])?), position)))
        .collect();
        match self.order {
            Order::Creation | Order::Oldest => places.sort_unstable(),
            Order::Newest => places.sort_unstable_by(|left, right| right.cmp(left)),
        }
        places
    }

    /// The time of the last update where the resource matches. A deleted one never does.
    fn matching(&self, stored: &Stored) -> Option<Timestamp> {
        let (resource, at) = stored.searchable()?;
        let matches = stored.present().is_some() && self.criteria.iter().all(|it| it.holds(resource, at));
        matches.then_some(at)
    }

    /// The identifier values that one criterion asks for, where one does: the index narrows the search by them.
    fn identifiers(&self) -> Option<Vec<&str>> {
        self.criteria.iter().find_map(|it| match it {
            Criterion::Token { paths: ["identifier"], wanted } => {
                wanted.iter().map(|token| token.code.as_deref()).collect()
            }
            _ => None,
        })
    }

    fn time(&self, at: Timestamp) -> i64 {
        if self.order == Order::Creation { 0 } else { at.as_millisecond() }
    }

    fn is_later(&self, place: Place, after: Place) -> bool {
        if self.order == Order::Newest { place < after } else { place > after }
    }
}

/// The values at a path of element names, through lists.
pub(super) fn values_at<'v>(resource: &'v Value, path: &str) -> Vec<&'v Value> {
    path.split('.')
        .fold(vec![resource], |found, name| found.into_iter().flat_map(|it| flattened(&it[name])).collect())
}

fn flattened(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    }
}

fn order(value: &str) -> Option<Order> {
    match value {
        "_lastUpdated" => Some(Order::Oldest),
        "-_lastUpdated" => Some(Order::Newest),
        _ => None,
    }
}

fn place(cursor: &str) -> Option<Place> {
    let (time, position) = cursor.split_once('.')?;
    Some((time.parse().ok()?, position.parse().ok()?))
}

fn with_links(mut bundle: Value, total: usize, address: &str, query: &str, next: Option<Place>) -> Value {
    let mut links = vec![json!({ "relation": "self", "url": format!("{address}?{query}") })];
    if let Some((time, position)) = next {
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        parameters.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|it| it.0 != CURSOR));
        parameters.append_pair(CURSOR, &format!("{time}.{position}"));
        links.push(json!({ "relation": "next", "url": format!("{address}?{}", parameters.finish()) }));
    }
    bundle["total"] = json!(total);
    bundle["link"] = json!(links);
    bundle
}
