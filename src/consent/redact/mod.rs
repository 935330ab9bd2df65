//! Takes out what may not go, and everything that points to it (consent S8).

pub mod traces;

use serde_json::{Value, json};

use super::matching::situation::name_of;
use super::payload::node::Place;
use super::permit::Permit;
use crate::fhir::resource;

/// Whether the receiver is told that something was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The clinic allows saying so: what was reduced bears the label REDACTED.
    Say,
    /// Nothing tells it.
    Silent,
}

/// The resources without the Permit's removals, in the order in which they were decided. They must be
/// validated again. With nothing to remove they are as they were.
pub fn reduce(resources: &[Value], permit: &Permit, mark: Mark) -> Vec<Value> {
    without(resources, permit.removals(), mark)
}

/// The same for any places; only a test has some without a Permit.
pub(super) fn without(resources: &[Value], removals: &[Place], mark: Mark) -> Vec<Value> {
    let mut gone = Vec::new();
    for place in removals {
        gone.extend(names_of_removed(&resources[place.number], place));
    }
    let is_whole = |number: usize| removals.iter().any(|it| it.number == number && it.pointer.is_empty());
    let mut kept = Vec::new();
    for (number, resource) in resources.iter().enumerate().filter(|(number, _)| !is_whole(*number)) {
        let mut reduced = resource.clone();
        take_out(&mut reduced, removals.iter().filter(|it| it.number == number));
        if !removals.is_empty() {
            traces::remove(&mut reduced, &gone, mark);
        }
        kept.push(reduced);
    }
    kept
}

/// By what a removed resource may be referred to: its name, its address in the Bundle, its id if contained.
fn names_of_removed(resource: &Value, place: &Place) -> Vec<String> {
    let Some(removed) = resource.pointer(&place.pointer) else {
        return Vec::new();
    };
    if resource::resource_type(removed).is_empty() {
        return Vec::new();
    }
    let mut names = vec![name_of(removed)];
    if let Some(entry) = place.pointer.strip_suffix("/resource") {
        names.extend(resource.pointer(entry).and_then(|it| it["fullUrl"].as_str()).map(str::to_owned));
    }
    if place.pointer.rsplit('/').nth(1) == Some("contained") {
        names = vec![format!("#{}", resource::id(removed))];
    }
    names
}

/// Takes out from behind, so that the numbers of what is left stay right.
fn take_out<'p>(resource: &mut Value, places: impl Iterator<Item = &'p Place>) {
    let mut pointers: Vec<Vec<&str>> =
        places.map(|it| it.pointer.trim_end_matches("/resource").split('/').skip(1).collect()).collect();
    pointers.sort_by_key(|steps| std::cmp::Reverse(in_order(steps)));
    for steps in pointers {
        remove_at(resource, &steps);
    }
}

/// Sorts `entry/10` behind `entry/9`.
fn in_order(steps: &[&str]) -> Vec<(usize, String)> {
    steps.iter().map(|it| (it.parse().unwrap_or(usize::MAX), (*it).to_owned())).collect()
}

/// Removes what steps lead to, with every list and object that is empty then.
fn remove_at(value: &mut Value, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    let is_empty = |it: &Value| *it == json!({}) || *it == json!([]);
    match value {
        Value::Object(map) => {
            if rest.is_empty() {
                map.shift_remove(*step);
                map.shift_remove(&format!("_{step}"));
            } else if let Some(child) = map.get_mut(*step) {
                remove_at(child, rest);
                if is_empty(child) {
                    map.shift_remove(*step);
                }
            }
        }
        Value::Array(list) => {
            let Some(number) = step.parse::<usize>().ok().filter(|it| *it < list.len()) else {
                return;
            };
            if rest.is_empty() {
                list.remove(number);
            } else {
                remove_at(&mut list[number], rest);
                if is_empty(&list[number]) {
                    list.remove(number);
                }
            }
        }
        _ => {}
    }
}
