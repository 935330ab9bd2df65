//! Every object of a resource, with the way to it. The way becomes text only where an issue needs it.

use serde_json::{Map, Value};

use super::place;

/// One step into a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'v> {
    /// Into an element.
    Key(&'v str),
    /// Into a list.
    Index(usize),
}

/// What is done with every object: it gets the way there and the object.
pub(super) type Visit<'f, 'v> = dyn FnMut(&[Step<'v>], &'v Map<String, Value>) + 'f;

/// Calls `visit` with the way to every object in a value and the object, outer ones first.
pub(super) fn objects<'v>(value: &'v Value, visit: &mut Visit<'_, 'v>) {
    descend(value, &mut Vec::new(), visit);
}

/// The place at the end of a way that begins at `root`.
pub(super) fn place(root: &str, way: &[Step<'_>]) -> String {
    let mut place = root.to_owned();
    for step in way {
        match *step {
            Step::Key(key) => place::push_key(&mut place, key),
            Step::Index(index) => place::push_index(&mut place, index),
        }
    }
    place
}

fn descend<'v>(value: &'v Value, way: &mut Vec<Step<'v>>, visit: &mut Visit<'_, 'v>) {
    match value {
        Value::Object(map) => {
            visit(way, map);
            for (key, child) in map {
                way.push(Step::Key(key));
                descend(child, way, visit);
                way.pop();
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                way.push(Step::Index(index));
                descend(child, way, visit);
                way.pop();
            }
        }
        _ => {}
    }
}
