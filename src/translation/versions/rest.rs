//! What is left of a part after some of its elements went elsewhere. It is kept, and joins them when it comes
//! back: for the first of a list a mark says so.

use serde_json::Value;

use super::node::{Item, Node, Object};
use super::report::Note;
use super::walk::Walk;

/// Says that this is what was left of the first of a list.
const FIRST: &str = "urn:referral-gateway:rest-of-the-first";

/// A name that no element has: something was taken out of this object.
const TOUCHED: &str = "\u{0}";

/// Notes that something was taken out.
pub(super) fn touch(part: &mut Object) {
    part.set(TOUCHED, Node::Leaf { value: Value::Null, origin: None });
}

/// After everything was taken: what is empty goes, and the rest of a first is marked.
pub(super) fn settle(source: &mut Object) {
    source.0.retain_mut(|(_, node)| settle_part(node));
}

/// The same for one element of an object.
pub(super) fn settle_named(source: &mut Object, name: &str) {
    if source.get_mut(name).is_some_and(|it| !settle_part(it)) {
        source.remove(name);
    }
}

/// The same for one element. False: nothing is left of it.
fn settle_part(node: &mut Node) -> bool {
    match node {
        Node::Object(part) => part.remove(TOUCHED).is_none() || !part.is_empty(),
        Node::List(list) => {
            if let Some(Node::Object(first)) = list.first_mut()
                && first.remove(TOUCHED).is_some()
            {
                if first.is_empty() {
                    list.remove(0);
                } else {
                    mark_first(first);
                }
            }
            !list.is_empty()
        }
        Node::Leaf { .. } => true,
    }
}

fn mark_first(rest: &mut Object) {
    let mut mark = Object::default();
    mark.set("url", Node::added(FIRST));
    mark.set("valueBoolean", Node::Leaf { value: Value::Bool(true), origin: None });
    rest.extend("extension", mark);
}

/// Whether a value bore the mark.
#[derive(Clone, Copy)]
pub(super) struct Mark(bool);

impl Mark {
    /// Where the value must be kept, it needs the mark.
    pub(super) fn again(self, mut item: Item) -> Item {
        if let Some(Node::Object(object)) = &mut item.value
            && self.0
        {
            mark_first(object);
        }
        item
    }
}

impl Walk<'_> {
    /// Takes such a mark out. True: it was there.
    pub(super) fn strip_first(&mut self, rest: &mut Object) -> bool {
        let Some(mut items) = rest.take("extension") else {
            return false;
        };
        let is_mark =
            |it: &Item| matches!(&it.value, Some(Node::Object(it)) if it.text("url") == Some(FIRST));
        let mark = items.items.iter().position(is_mark).map(|at| items.items.remove(at));
        rest.put("extension", items);
        let value = mark.and_then(|it| it.value);
        if let Some(it) = &value {
            self.note(it, Note::Implied);
        }
        value.is_some()
    }

    /// A value without such a mark, which it bears no more where it stands in a list of its own.
    pub(super) fn without_mark(&mut self, mut item: Item) -> (Item, Mark) {
        let is_first = match &mut item.value {
            Some(Node::Object(object)) => self.strip_first(object),
            _ => false,
        };
        (item, Mark(is_first))
    }

    /// What was left of the first of a list joins what was made of it.
    pub(super) fn join_first(&mut self, name: &str, item: Item, out: &mut Object) -> Option<Item> {
        let Some(Node::Object(mut kept)) = item.value else {
            return Some(item);
        };
        let is_first = self.strip_first(&mut kept);
        match out.get_mut(name) {
            Some(Node::List(list)) if is_first => match list.first_mut() {
                Some(Node::Object(there)) => {
                    self.add_missing(there, kept);
                    None
                }
                _ => Some(Item::of(Node::Object(kept))),
            },
            _ => Some(Item { value: Some(Node::Object(kept)), extra: item.extra }),
        }
    }
}
