//! From a bare Task, or an order, to the collection that is made of it and of what it contains.

use std::collections::HashMap;

use serde_json::Value;

use super::compare::{Reasons, compare, leaves};
use super::whole::whole;
use super::{Account, Added, UNACCOUNTED};
use crate::fhir::reference;
use crate::fhir::resource::resource_type;

/// The account of a collection. `places`: for each entry, where it is in what was sent.
pub fn of_gathered(sent: &Value, collection: &Value, places: &[String]) -> Account {
    let mut added = Vec::new();
    leaves(&without_entries(collection), "Bundle", &mut |to, _| added.push(of_envelope(to)));
    let mut parts = vec![Account { added, passages: Vec::new() }];
    for (number, place) in places.iter().enumerate() {
        let entry = &collection["entry"][number];
        let to = format!("Bundle.entry[{number}]");
        let added = entry.get("fullUrl").map(|_| of_envelope(&format!("{to}.fullUrl")));
        parts.push(Account { added: added.into_iter().collect(), passages: Vec::new() });
        if let Some(part) = value_at(sent, place) {
            let (part, to) = (opened(part, &entry["resource"]), format!("{to}.resource"));
            parts.push(piece((place, &part), (&to, &entry["resource"])));
        }
    }
    whole((resource_type(sent), sent), parts, |_| UNACCOUNTED)
}

/// A piece of the Task and the resource of its entry. References keep their places when a Task is opened.
fn piece((from, sent): (&str, &Value), (to, there): (&str, &Value)) -> Account {
    let mut after = HashMap::new();
    reference::for_each(there, "", &mut |path, it| {
        after.insert(path.to_owned(), &it["reference"]);
    });
    let mut renamed = HashMap::new();
    reference::for_each(sent, "", &mut |path, it| {
        renamed.extend(it["reference"].as_str().zip(after.get(path).copied()));
    });
    let reasons = Reasons {
        relink: &|it| {
            let mut it = it.clone();
            let there = it["reference"].as_str().and_then(|text| renamed.get(text)).copied();
            it["reference"] = there.cloned().unwrap_or_default();
            Some(it)
        },
        changed: &|_| None,
        gone: &|from| {
            from.strip_suffix(".id")
                .map(|_| "named it within the Task; references lead to the entry".to_owned())
        },
        added: &|_| "added when the Task was opened".to_owned(),
    };
    compare((from, sent), (to, there), &reasons)
}

fn of_envelope(to: &str) -> Added {
    Added { to: to.to_owned(), how: "added when the Task was opened".to_owned() }
}

/// What is contained became entries of its own where the container has it no more.
fn opened(sent: &Value, entry: &Value) -> Value {
    let mut sent = sent.clone();
    if let Some(map) = sent.as_object_mut().filter(|_| entry.get("contained").is_none()) {
        map.shift_remove("contained");
    }
    sent
}

fn without_entries(collection: &Value) -> Value {
    let mut head = collection.clone();
    head.as_object_mut().and_then(|it| it.shift_remove("entry"));
    head
}

/// The value at `Task`, or `Task.contained[1]`. None: it was read elsewhere.
fn value_at<'v>(sent: &'v Value, place: &str) -> Option<&'v Value> {
    let path = place.strip_prefix(resource_type(sent))?;
    path.split('.').filter(|it| !it.is_empty()).try_fold(sent, |value, step| match step.split_once('[') {
        Some((name, number)) => value.get(name)?.get(number.trim_end_matches(']').parse::<usize>().ok()?),
        None => value.get(step),
    })
}
