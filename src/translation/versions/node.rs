//! A resource whose every value knows where it stood before. What became of each is then counted, and not told
//! by the code that moved it.

use serde_json::{Map, Value};

/// A part of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Object(Object),
    List(Vec<Node>),
    /// A value. `origin` is its number in the source; none: it was added.
    Leaf {
        value: Value,
        origin: Option<usize>,
    },
}

/// The elements of an object, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object(pub(super) Vec<(String, Node)>);

/// An element: its values, and beside each the `_element` with its id and extensions (FHIR R4, json).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    pub(super) is_list: bool,
}

/// One value of an element.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) value: Option<Node>,
    pub(super) extra: Option<Node>,
}

impl Item {
    pub(super) const fn of(value: Node) -> Self {
        Self { value: Some(value), extra: None }
    }
}

impl Items {
    pub(super) fn single(item: Item) -> Self {
        Self { items: vec![item], is_list: false }
    }

    pub(super) fn list(items: Vec<Item>) -> Self {
        Self { items, is_list: true }
    }
}

impl Node {
    /// A value that was not in the source.
    pub(super) fn added(text: impl Into<String>) -> Self {
        Self::Leaf { value: Value::String(text.into()), origin: None }
    }

    /// Reads JSON and writes down the place of each value.
    pub(super) fn read(value: &Value, place: &str, places: &mut Vec<String>) -> Self {
        match value {
            Value::Object(map) => {
                let mut member = |(name, value): (&String, &Value)| {
                    let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                    (name.clone(), Self::read(value, &place, places))
                };
                Self::Object(Object(map.iter().map(&mut member).collect()))
            }
            Value::Array(list) => {
                let numbered = list.iter().enumerate();
                Self::List(numbered.map(|(n, it)| Self::read(it, &format!("{place}[{n}]"), places)).collect())
            }
            Value::Null => Self::Leaf { value: Value::Null, origin: None },
            scalar => {
                places.push(place.to_owned());
                Self::Leaf { value: scalar.clone(), origin: Some(places.len() - 1) }
            }
        }
    }

    /// Writes JSON, and tells of each value where it stands now.
    pub(super) fn write(self, place: &str, tell: &mut dyn FnMut(&str, Option<usize>, &Value)) -> Value {
        match self {
            Self::Object(Object(members)) => {
                let mut map = Map::new();
                for (name, node) in members {
                    let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                    map.insert(name, node.write(&place, tell));
                }
                Value::Object(map)
            }
            Self::List(list) => {
                let numbered = list.into_iter().enumerate();
                Value::Array(numbered.map(|(n, it)| it.write(&format!("{place}[{n}]"), tell)).collect())
            }
            Self::Leaf { value, origin } => {
                if !value.is_null() {
                    tell(place, origin, &value);
                }
                value
            }
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Leaf { value, .. } => value.as_str(),
            _ => None,
        }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Leaf { value: Value::Null, .. })
    }

    /// Whether another says all that this says.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(one), Self::Object(other)) => {
                one.0.iter().all(|(name, it)| other.get(name).is_some_and(|there| it.is_within(there)))
            }
            (Self::List(one), Self::List(other)) => {
                one.len() <= other.len() && one.iter().zip(other).all(|(one, other)| one.is_within(other))
            }
            (Self::Leaf { value, .. }, Self::Leaf { value: other, .. }) => value == other,
            _ => false,
        }
    }

    /// Calls `visit` with the number of each value that was in the source.
    pub(super) fn origins(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Self::Object(Object(members)) => members.iter().for_each(|(_, it)| it.origins(visit)),
            Self::List(list) => list.iter().for_each(|it| it.origins(visit)),
            Self::Leaf { origin, .. } => origin.iter().for_each(|it| visit(*it)),
        }
    }
}

impl Object {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, node)| node)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(it, _)| it == name).map(|(_, node)| node)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Node::text)
    }

    /// Removes a member.
    pub(super) fn remove(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.remove(at).1)
    }

    /// Sets a member.
    pub(super) fn set(&mut self, name: &str, node: Node) {
        match self.get_mut(name) {
            Some(there) => *there = node,
            None => self.0.push((name.to_owned(), node)),
        }
    }

    /// Takes an element out, with its `_element`.
    pub(super) fn take(&mut self, name: &str) -> Option<Items> {
        let value = self.remove(name);
        let extra = self.remove(&format!("_{name}"));
        match (value, extra) {
            (None, None) => None,
            (Some(Node::List(values)), extra) => Some(Items::list(zip(values, listed(extra)))),
            (None, Some(Node::List(extras))) => Some(Items::list(zip(Vec::new(), extras))),
            (value, extra) => Some(Items::single(Item { value, extra })),
        }
    }

    /// Puts an element in; behind what is there already where it is a list.
    pub(super) fn put(&mut self, name: &str, items: Items) {
        let mut items = items;
        if items.is_list
            && let Some(mut there) = self.take(name)
        {
            there.items.append(&mut items.items);
            items.items = there.items;
        }
        if items.items.is_empty() {
            return;
        }
        let extra_name = format!("_{name}");
        if !items.is_list {
            let Item { value, extra } = items.items.swap_remove(0);
            if let Some(value) = value {
                self.set(name, value);
            }
            if let Some(extra) = extra {
                self.set(&extra_name, extra);
            }
            return;
        }
        let null = || Node::Leaf { value: Value::Null, origin: None };
        let (has_value, has_extra) = (
            items.items.iter().any(|it| it.value.is_some()),
            items.items.iter().any(|it| it.extra.is_some()),
        );
        let (values, extras): (Vec<Node>, Vec<Node>) = items
            .items
            .into_iter()
            .map(|it| (it.value.unwrap_or_else(null), it.extra.unwrap_or_else(null)))
            .unzip();
        if has_value {
            self.set(name, Node::List(values));
        }
        if has_extra {
            self.set(&extra_name, Node::List(extras));
        }
    }

    /// Adds an extension.
    pub(super) fn extend(&mut self, list: &str, extension: Object) {
        self.put(list, Items::list(vec![Item::of(Node::Object(extension))]));
    }
}

fn listed(extra: Option<Node>) -> Vec<Node> {
    match extra {
        Some(Node::List(list)) => list,
        Some(other) => vec![other],
        None => Vec::new(),
    }
}

fn zip(values: Vec<Node>, extras: Vec<Node>) -> Vec<Item> {
    let length = values.len().max(extras.len());
    let (mut values, mut extras) = (values.into_iter(), extras.into_iter());
    let present = |it: Option<Node>| it.filter(|it| !it.is_null());
    (0..length).map(|_| Item { value: present(values.next()), extra: present(extras.next()) }).collect()
}
