//! Takes out what may not go, and everything that points to it (consent S8).

pub mod traces;

use serde_json::{Value, json};

use super::payload::node::Place;
use super::permit::Permit;
use crate::fhir::coding;
use crate::fhir::resource::{id, name_of, resource_type};

/// Whether the receiver is told that something was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The clinic allows saying so: what was reduced bears the label REDACTED.
    Say,
    /// Nothing tells it.
    Silent,
}

/// By what something that was taken out may be referred to.
#[derive(Clone, Debug, Default)]
pub struct Gone {
    /// Its name, its address in the Bundle, its id if contained.
    pub names: Vec<String>,
    /// Its business identifiers, as (system, value).
    pub identifiers: Vec<(String, String)>,
}

/// The resources without the Permit's removals, in the order in which they were decided. They must be
/// validated again. With nothing to remove they are as they were.
pub fn reduce(resources: &[Value], permit: &Permit, mark: Mark) -> Vec<Value> {
    let removals = permit.removals();
    let mut gone = Gone::default();
    for place in removals {
        gone.add(&resources[place.number], place);
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

impl Gone {
    fn add(&mut self, resource: &Value, place: &Place) {
        let Some(removed) = resource.pointer(&place.pointer).filter(|it| !resource_type(it).is_empty())
        else {
            return;
        };
        let identifiers = coding::identifiers(removed);
        self.identifiers.extend(identifiers.map(|(system, value)| (system.to_owned(), value.to_owned())));
        if place.pointer.rsplit('/').nth(1) == Some("contained") {
            self.names.push(format!("#{}", id(removed)));
            return;
        }
        self.names.push(name_of(removed));
        let entry = place.pointer.strip_suffix("/resource").and_then(|it| resource.pointer(it));
        self.names.extend(entry.and_then(|it| it["fullUrl"].as_str()).map(str::to_owned));
    }
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
            // A primitive has its extensions beside it: they go and stay together.
            for name in [(*step).to_owned(), format!("_{step}")] {
                let Some(child) = map.get_mut(&name) else {
                    continue;
                };
                remove_at(child, rest);
                if rest.is_empty() || is_empty(child) {
                    map.shift_remove(&name);
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
