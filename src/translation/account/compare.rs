//! Two forms of one resource, value by value.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::{Account, Added, Fate, Passage, UNACCOUNTED};

/// Makes of a Reference of the source what the step makes of it; none: it is removed.
pub type Relink<'r> = &'r dyn Fn(&Value) -> Option<Value>;

/// A step that leaves references as they are.
pub fn keep_references(reference: &Value) -> Option<Value> {
    Some(reference.clone())
}

/// A value that stands in its place and is another one.
#[derive(Clone, Copy, Debug)]
pub struct Change<'c> {
    /// Its place in the source.
    pub from: &'c str,
    /// As it was.
    pub before: &'c Value,
    /// As it is.
    pub after: &'c Value,
}

/// What a step says of what is found. Without a reason a value is unaccounted.
pub struct Reasons<'r> {
    /// What it makes of references.
    pub relink: Relink<'r>,
    /// Why a value was replaced; `Fate::Dropped` where the new one has nothing to do with it.
    pub changed: &'r dyn Fn(&Change<'_>) -> Option<(Fate, String)>,
    /// Why a value is gone. Its place in the source is given.
    pub gone: &'r dyn Fn(&str) -> Option<String>,
    /// Why a value was added. Its place in the result is given.
    pub added: &'r dyn Fn(&str) -> String,
}

/// Compares a resource with what was made of it. The places begin with `from` and `to`.
pub fn compare(source: (&str, &Value), result: (&str, &Value), reasons: &Reasons<'_>) -> Account {
    let mut comparison = Comparison { reasons, passages: Vec::new(), fresh: Vec::new() };
    comparison.pair(source, result);
    let Comparison { passages, fresh, .. } = comparison;
    let added = fresh.into_iter().map(|to| Added { how: (reasons.added)(&to), to });
    Account { added: added.collect(), passages }
}

struct Comparison<'r> {
    reasons: &'r Reasons<'r>,
    passages: Vec<Passage>,
    fresh: Vec<String>,
}

impl Comparison<'_> {
    fn pair(&mut self, (from, before): (&str, &Value), (to, after): (&str, &Value)) {
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.objects((from, before), (to, after)),
            (Value::Array(before), Value::Array(after)) => self.lists((from, before), (to, after)),
            (before, after) if is_leaf(before) && is_leaf(after) => self.leaves((from, before), (to, after)),
            _ => {
                self.gone(from, before);
                self.fresh(to, after);
            }
        }
    }

    fn objects(
        &mut self,
        (from, before): (&str, &Map<String, Value>),
        (to, after): (&str, &Map<String, Value>),
    ) {
        let renamed = self.renamed_reference(before, after);
        let mut claimed = None;
        for (name, value) in before {
            let place = format!("{from}.{name}");
            let there = after.get(name);
            match (&renamed, there) {
                (Some(Renamed::Address), Some(_)) if name == "reference" => {
                    self.push(&place, Some(format!("{to}.{name}")), Fate::Mapped, "reference rewritten");
                }
                (Some(Renamed::Identifier), None) if name == "reference" => {
                    claimed = Some(format!("{to}.identifier.value"));
                    self.push(&place, claimed.clone(), Fate::Mapped, "an identifier names what it led to");
                }
                (Some(Renamed::Known), None) if name == "reference" => {
                    let how = "an address elsewhere; the identifier beside it names it";
                    self.push(&place, None, Fate::Dropped, how);
                }
                (_, Some(there)) => self.pair((&place, value), (&format!("{to}.{name}"), there)),
                (_, None) => self.gone(&place, value),
            }
        }
        let new = after.iter().filter(|(name, _)| !before.contains_key(*name));
        for (name, value) in new {
            self.fresh(&format!("{to}.{name}"), value);
        }
        self.fresh.retain(|it| Some(it) != claimed.as_ref());
    }

    /// How the step named the target of a Reference, where it named it anew.
    fn renamed_reference(&self, before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Renamed> {
        let text = before.get("reference").filter(|it| it.is_string())?;
        let expected = (self.reasons.relink)(&Value::Object(before.clone()))?;
        match (expected.get("reference"), after.get("reference")) {
            (Some(expected), Some(there)) => (expected == there && there != text).then_some(Renamed::Address),
            (None, None) => {
                let named =
                    |it: &Map<String, Value>| it.get("identifier").and_then(|it| it.get("value")).cloned();
                let value = named(after).filter(|it| expected["identifier"].get("value") == Some(it))?;
                let is_known = named(before) == Some(value);
                Some(if is_known { Renamed::Known } else { Renamed::Identifier })
            }
            _ => None,
        }
    }

    /// Items are paired with those that say most of the same; the rest is gone or new.
    fn lists(&mut self, (from, before): (&str, &[Value]), (to, after): (&str, &[Value])) {
        let partners = self.partners(before, after);
        for (number, item) in before.iter().enumerate() {
            let place = format!("{from}[{number}]");
            match partners[number] {
                Some(there) => self.pair((&place, item), (&format!("{to}[{there}]"), &after[there])),
                None => self.gone(&place, item),
            }
        }
        for (number, item) in after.iter().enumerate() {
            if !partners.contains(&Some(number)) {
                self.fresh(&format!("{to}[{number}]"), item);
            }
        }
    }

    fn partners(&self, before: &[Value], after: &[Value]) -> Vec<Option<usize>> {
        let mut partners = vec![None; before.len()];
        let mut is_taken = vec![false; after.len()];
        for (number, item) in before.iter().enumerate() {
            let same = (0..after.len()).find(|it| !is_taken[*it] && after[*it] == *item);
            if let Some(same) = same {
                (partners[number], is_taken[same]) = (Some(same), true);
            }
        }
        let mut alike = Vec::new();
        for number in (0..before.len()).filter(|it| partners[*it].is_none()) {
            for there in (0..after.len()).filter(|it| !is_taken[*it]) {
                let shared = self.shared(&before[number], &after[there]);
                alike.extend((shared > 0).then_some((shared, number, there)));
            }
        }
        alike.sort_by_key(|(shared, number, there)| (Reverse(*shared), *number, *there));
        for (_, number, there) in alike {
            if partners[number].is_none() && !is_taken[there] {
                (partners[number], is_taken[there]) = (Some(there), true);
            }
        }
        partners
    }

    /// How many values two parts have in common, references being what the step makes of them.
    fn shared(&self, before: &Value, after: &Value) -> usize {
        match (before, after) {
            (Value::Object(map), Value::Object(_)) if map.get("reference").is_some_and(Value::is_string) => {
                (self.reasons.relink)(before).map_or(0, |it| equal_values(&it, after))
            }
            (Value::Object(before), Value::Object(after)) => {
                let both = before.iter().filter_map(|(name, it)| Some((it, after.get(name)?)));
                both.map(|(one, other)| self.shared(one, other)).sum()
            }
            (Value::Array(before), Value::Array(after)) => {
                before.iter().zip(after).map(|(one, other)| self.shared(one, other)).sum()
            }
            _ => equal_values(before, after),
        }
    }

    fn leaves(&mut self, (from, before): (&str, &Value), (to, after): (&str, &Value)) {
        match (before.is_null(), after.is_null()) {
            (true, true) => {}
            (true, false) => self.fresh(to, after),
            (false, true) => self.gone(from, before),
            _ if before == after => self.push(from, Some(to.to_owned()), Fate::Carried, ""),
            _ => match (self.reasons.changed)(&Change { from, before, after }) {
                Some((Fate::Dropped, how)) => {
                    self.push(from, None, Fate::Dropped, &how);
                    self.fresh(to, after);
                }
                Some((fate, how)) => self.push(from, Some(to.to_owned()), fate, &how),
                None => {
                    self.push(from, None, Fate::Dropped, UNACCOUNTED);
                    self.fresh(to, after);
                }
            },
        }
    }

    fn gone(&mut self, from: &str, value: &Value) {
        let mut places = Vec::new();
        leaves(value, from, &mut |place, _| places.push(place.to_owned()));
        for place in places {
            let how = (self.reasons.gone)(&place).unwrap_or_else(|| UNACCOUNTED.to_owned());
            self.push(&place, None, Fate::Dropped, &how);
        }
    }

    fn fresh(&mut self, to: &str, value: &Value) {
        leaves(value, to, &mut |place, _| self.fresh.push(place.to_owned()));
    }

    fn push(&mut self, from: &str, to: Option<String>, fate: Fate, how: &str) {
        self.passages.push(Passage { from: from.to_owned(), to, fate, how: how.to_owned() });
    }
}

enum Renamed {
    /// It has another address.
    Address,
    /// It has an identifier instead.
    Identifier,
    /// It had an identifier besides, and has that alone.
    Known,
}

fn equal_values(one: &Value, other: &Value) -> usize {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let both = one.iter().filter_map(|(name, it)| Some((it, other.get(name)?)));
            both.map(|(one, other)| equal_values(one, other)).sum()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).map(|(one, other)| equal_values(one, other)).sum()
        }
        (one, other) => usize::from(is_leaf(one) && !one.is_null() && one == other),
    }
}

/// Calls `visit` with the place of each value, in their order.
pub(super) fn leaves<'v>(value: &'v Value, place: &str, visit: &mut dyn FnMut(&str, &'v Value)) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, it)| leaves(it, &format!("{place}.{name}"), visit)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, it)| leaves(it, &format!("{place}[{n}]"), visit));
        }
        Value::Null => {}
        leaf => visit(place, leaf),
    }
}

const fn is_leaf(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}
