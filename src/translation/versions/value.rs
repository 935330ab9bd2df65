//! One value of one type, made one of another.

use serde_json::Value;

use super::node::{Item, Items, Node, Object};
use super::table::{Found, capitalised, is_primitive};
use super::walk::{Paths, Walk};

/// Types that are another one and something more: the outer, its element, the inner.
const WRAPPED: [(&str, &str, &str); 7] = [
    ("CodeableReference", "concept", "CodeableConcept"),
    ("CodeableReference", "reference", "Reference"),
    ("CodeableConcept", "coding", "Coding"),
    ("Practitioner.communication", "language", "CodeableConcept"),
    ("Immunization.programEligibility", "program", "CodeableConcept"),
    ("DiagnosticReport.performer", "actor", "Reference"),
    ("DocumentReference.context.related", "ref", "Reference"),
];

impl Walk<'_> {
    /// A value of another type, or the value as it was where it cannot be one.
    pub(super) fn item(&mut self, item: Item, from: &str, to: &str) -> Result<Item, Box<Item>> {
        if is_primitive(from) || is_primitive(to) {
            return self.primitive(item, from, to);
        }
        let Some(Node::Object(object)) = item.value else {
            return Err(Box::new(item));
        };
        let made = if from == "Resource" && to == "Resource" {
            Ok(self.resource(object))
        } else if from == to || is_alike(from, to) {
            Ok(self.object(object, Paths { from, to }))
        } else if let Some((outer, element, inner)) = WRAPPED.iter().find(|it| it.2 == from && it.0 == to) {
            Ok(self.wrap(object, outer, element, inner))
        } else if let Some((outer, element, inner)) = WRAPPED.iter().find(|it| it.0 == from && it.2 == to) {
            Ok(self.unwrap_to(object, outer, element, inner))
        } else {
            Err(object)
        };
        match made {
            Ok(object) => Ok(Item::of(Node::Object(object))),
            Err(object) => Err(Box::new(Item::of(Node::Object(object)))),
        }
    }

    fn primitive(&mut self, item: Item, from: &str, to: &str) -> Result<Item, Box<Item>> {
        let value = match item.value.as_ref() {
            Some(value) => Some(primitive(value, from, to)),
            None if is_primitive(from) && is_primitive(to) => None,
            None => return Err(Box::new(item)),
        };
        let Some(value) = value.map_or(Some(None), |it| it.map(Some)) else {
            return Err(Box::new(item));
        };
        Ok(Item { value, extra: item.extra.map(|it| self.extra(it)) })
    }

    /// The id and the extensions of a primitive.
    pub(super) fn extra(&mut self, extra: Node) -> Node {
        match extra {
            Node::Object(object) => {
                Node::Object(self.object(object, Paths { from: "Element", to: "Element" }))
            }
            other => other,
        }
    }

    /// A concept becomes the concept of a CodeableReference, and so on. What an earlier conversion kept of the
    /// outer comes back.
    fn wrap(&mut self, mut object: Object, outer: &str, element: &str, inner: &str) -> Object {
        let kept = self.take_kept(&mut object, outer);
        let inner = self.object(object, Paths { from: inner, to: inner });
        let is_list = element == "coding";
        let mut out = Object::default();
        // An empty one held the place of what was kept.
        if kept.is_empty() || !inner.is_empty() {
            out.put(element, Items { items: vec![Item::of(Node::Object(inner))], is_list });
        }
        for it in kept {
            out.put(&it.name, Items { items: vec![it.item], is_list: it.repeats });
        }
        out
    }

    /// The concept of a CodeableReference, and so on. The rest of the outer is kept on it.
    fn unwrap_to(&mut self, mut object: Object, outer: &str, element: &str, inner: &str) -> Object {
        let mut items = object.take(element).unwrap_or_default();
        let position = items.items.iter().position(|it| matches!(it.value, Some(Node::Object(_))));
        // Without one, an empty one holds the place in its list, and the rest with it.
        let first = match position.and_then(|at| items.items.remove(at).value) {
            Some(Node::Object(first)) => first,
            _ => Object::default(),
        };
        if !items.items.is_empty() {
            object.put(element, items);
        }
        let mut out = self.object(first, Paths { from: inner, to: inner });
        let paths = Paths { from: outer, to: inner };
        while let Some((name, _)) = object.0.first().cloned() {
            let name = name.trim_start_matches('_').to_owned();
            let Some(items) = object.take(&name) else {
                break;
            };
            match self.source().find(outer, &name) {
                Some(found) => self.keep(items.items, &found, &mut out, paths),
                None => out.put(&name, items),
            }
        }
        out
    }
}

/// Whether a value loses precision on its way: a time where only a day may stand.
pub(super) fn is_shortened(item: &Item, found: &Found<'_>, target: &Found<'_>) -> bool {
    let text = item.value.as_ref().and_then(Node::text).unwrap_or_default();
    target.kind == "date" && matches!(found.kind.as_str(), "dateTime" | "instant") && text.len() > DAY
}

/// The length of `2026-03-01`.
const DAY: usize = 10;

/// Two parts, or two kinds of Quantity.
fn is_alike(from: &str, to: &str) -> bool {
    let is_quantity =
        |it: &str| matches!(it, "Age" | "Count" | "Distance" | "Duration") || capitalised(it) == "Quantity";
    (from.contains('.') && to.contains('.')) || (is_quantity(from) && is_quantity(to))
}

/// How primitive types are written: those of one family look the same.
fn family(kind: &str) -> u8 {
    match kind {
        "boolean" => 1,
        "integer" | "positiveInt" | "unsignedInt" => 2,
        "integer64" => 3,
        "decimal" => 4,
        "date" => 5,
        "dateTime" => 6,
        "instant" => 7,
        "time" => 8,
        "base64Binary" => 9,
        _ => 10,
    }
}

fn primitive(node: &Node, from: &str, to: &str) -> Option<Node> {
    let Node::Leaf { value, origin } = node else {
        return None;
    };
    if !is_primitive(from) || !is_primitive(to) {
        return None;
    }
    let same = || Some(value.clone());
    let value = match (family(from), family(to)) {
        (2, 4) | (5 | 7, 6) => same(),
        (one, other) if one == other => same(),
        // Whole numbers of 64 bits are texts in JSON (FHIR R5, datatypes).
        (2, 3) => value.as_number().map(|it| Value::String(it.to_string())),
        (3, 2) => value.as_str()?.parse::<u32>().ok().map(Value::from),
        (4, 2) => value.as_number()?.to_string().parse::<u32>().ok().map(Value::from),
        (6 | 7, 5) => value.as_str()?.get(..DAY.min(value.as_str()?.len())).map(Value::from),
        (6, 7) => value.as_str().filter(|it| is_instant(it)).map(Value::from),
        _ => None,
    };
    value.map(|value| Node::Leaf { value, origin: *origin })
}

/// Whether a time is one to the second and with a zone.
fn is_instant(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}
