//! Elements in parts: `context.period`, in the first part where there are several.

use super::node::{Item, Items, Node, Object};
use super::rest::{settle_named, touch};
use super::table::Found;
use super::walk::Walk;

/// Takes an element out: of the object itself, or of the first of its parts.
pub(super) fn take_at(
    walk: &mut Walk<'_>,
    source: &mut Object,
    names: &[String],
    path: &str,
) -> Option<(Items, Found<'static>, String)> {
    let (name, rest) = names.split_first()?;
    let found = walk.source().find(path, name)?;
    if rest.is_empty() {
        settle_named(source, name);
        let items = source.take(name)?;
        walk.check_form(&items, &found, name);
        return Some((items, found, path.to_owned()));
    }
    let inner = match source.get_mut(name)? {
        Node::Object(inner) => inner,
        Node::List(list) => match list.first_mut()? {
            Node::Object(inner) => inner,
            _ => return None,
        },
        Node::Leaf { .. } => return None,
    };
    let taken = take_at(walk, inner, rest, &found.kind)?;
    touch(inner);
    Some(taken)
}

/// The object into which an element goes, which is made where it is missing.
pub(super) fn place_at<'o, 't>(
    walk: &Walk<'t>,
    out: &'o mut Object,
    names: &[String],
    path: &str,
) -> Option<(&'o mut Object, Found<'t>, String)> {
    let (name, rest) = names.split_first()?;
    let found = walk.target().find(path, name)?;
    if rest.is_empty() {
        return Some((out, found, path.to_owned()));
    }
    // Nothing is made that would stay empty.
    walk.target().find(&found.kind, rest.first()?)?;
    if out.get(name).is_none() {
        let empty = Item::of(Node::Object(Object::default()));
        out.put(name, Items { items: vec![empty], is_list: found.element.repeats });
    }
    let inner = match out.get_mut(name)? {
        Node::Object(inner) => inner,
        Node::List(list) => match list.first_mut()? {
            Node::Object(inner) => inner,
            _ => return None,
        },
        Node::Leaf { .. } => return None,
    };
    place_at(walk, inner, rest, &found.kind)
}
