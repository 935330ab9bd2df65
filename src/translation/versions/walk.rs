//! One object of one version, made one of the other.

use serde_json::Value;

use super::keep::Restored;
use super::map::{Side, Statement, VersionMap};
use super::node::{Item, Items, Node, Object};
use super::report::Note;
use super::rest::settle;
use super::table::{Found, Table, is_primitive};
use super::value::is_shortened;
use super::{functions, statements};
use crate::model::fhir_version::FhirVersion;

/// One conversion, with what is noted on the way.
pub(super) struct Walk<'m> {
    pub(super) from: FhirVersion,
    pub(super) to: FhirVersion,
    pub(super) map: &'m VersionMap,
    /// The side of the map that is made.
    pub(super) to_side: Side,
    /// What became of values that are not in the result.
    pub(super) notes: Vec<(usize, Note)>,
    /// Elements that the source's version does not know, or not in this form: a value below each, and its name.
    pub(super) unknown: Vec<(usize, String)>,
}

/// The two names of what is converted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths<'p> {
    pub(super) from: &'p str,
    pub(super) to: &'p str,
}

impl<'m> Walk<'m> {
    pub(super) fn source(&self) -> &'static Table {
        Table::of(self.from)
    }

    pub(super) fn target(&self) -> &'static Table {
        Table::of(self.to)
    }

    /// What the map states about an object.
    pub(super) fn statements(&self, paths: Paths<'_>) -> &'m [Statement] {
        match self.to_side {
            Side::Left => self.map.statements(paths.to, paths.from),
            Side::Right => self.map.statements(paths.from, paths.to),
        }
    }

    pub(super) fn note(&mut self, gone: &Node, why: Note) {
        gone.origins(&mut |origin| self.notes.push((origin, why)));
    }

    /// A resource; one of a type that either version does not have here stays as it is.
    pub(super) fn resource(&mut self, mut resource: Object) -> Object {
        let name = resource.text("resourceType").unwrap_or_default().to_owned();
        let marked = self.take_mark(&mut resource);
        let to = self.map.type_name(&name, self.to_side, marked.as_deref());
        if !self.source().has_resource(&name) || !self.target().has_resource(to) {
            return resource;
        }
        let mut out = self.object(resource, Paths { from: &name, to });
        if self.to_side == Side::Left && self.map.is_marked(&name) {
            self.mark(&mut out, &name);
        }
        let Some(Node::Leaf { origin, .. }) = out.remove("resourceType") else {
            return out;
        };
        out.0.insert(0, ("resourceType".to_owned(), Node::Leaf { value: Value::from(to), origin }));
        out
    }

    /// An object whose elements both tables know under these paths.
    pub(super) fn object(&mut self, mut source: Object, paths: Paths<'_>) -> Object {
        let mut out = Object::default();
        let given = texts(&source);
        let restored = self.take_kept(&mut source, paths.to);
        let stated = self.statements(paths);
        for statement in stated {
            match statement {
                Statement::Call { function } => functions::call(self, function, &mut source, &mut out),
                other => statements::apply(self, other, (&mut source, &mut out), paths),
            }
        }
        self.carry(source, &mut out, paths);
        self.restore(restored, &mut out, (&given, paths));
        for statement in stated {
            statements::complete(statement, self.to_side, &mut out);
        }
        out
    }

    /// What the map does not mention: the same name, or else an extension.
    fn carry(&mut self, mut source: Object, out: &mut Object, paths: Paths<'_>) {
        settle(&mut source);
        while let Some((first, _)) = source.0.first() {
            let name = first.strip_prefix('_').unwrap_or(first).to_owned();
            let Some(items) = source.take(&name) else {
                // `_resourceType` and the like: not ours to read.
                let (name, node) = source.0.remove(0);
                out.set(&name, node);
                continue;
            };
            let Some(found) = self.source().find(paths.from, &name) else {
                self.unknown(&name, items, (out, paths));
                continue;
            };
            self.check_form(&items, &found, &name);
            match self.target().find(paths.to, &name) {
                Some(target) => self.transfer(items, (&found, &target), out, paths),
                None => self.keep(items.items, &found, out, paths),
            }
        }
    }

    /// A list where there is to be one value, or an object where there is to be a text: the sender is told, since
    /// the conversion would hide it.
    pub(super) fn check_form(&mut self, items: &Items, found: &Found<'_>, name: &str) {
        let is_wrong = |it: &Item| match &it.value {
            Some(Node::Leaf { .. }) => !is_primitive(&found.kind),
            Some(_) => is_primitive(&found.kind),
            None => false,
        };
        if items.is_list != found.element.repeats || items.items.iter().any(is_wrong) {
            self.tell(items, name);
        }
    }

    fn tell(&mut self, items: &Items, name: &str) {
        let mut first = None;
        for item in &items.items {
            let parts = item.value.iter().chain(&item.extra);
            parts.for_each(|it| it.origins(&mut |origin| first = first.or(Some(origin))));
        }
        self.unknown.extend(first.map(|origin| (origin, name.to_owned())));
    }

    /// What its own version does not know is not read as what the other version means by the same name.
    fn unknown(&mut self, name: &str, items: Items, (out, paths): (&mut Object, Paths<'_>)) {
        self.tell(&items, name);
        if self.target().find(paths.to, name).is_none() {
            out.put(name, items);
            return;
        }
        for item in items.items {
            let reason = Note::Dropped("is no element of its own version");
            item.value.iter().chain(&item.extra).for_each(|it| self.note(it, reason));
        }
    }

    /// Moves values from one element to another. What does not fit there is kept as an extension.
    pub(super) fn transfer(
        &mut self,
        items: Items,
        (found, target): (&Found<'_>, &Found<'_>),
        out: &mut Object,
        paths: Paths<'_>,
    ) {
        let name = target.element.json_name(&target.kind);
        let (mut fitting, mut rest) = (Vec::new(), Vec::new());
        let has_room = |count: usize| target.element.repeats || count == 0;
        let is_taken = !target.element.repeats && out.get(&name).is_some();
        for item in items.items {
            if is_taken && self.merge(&item, (found, target), (&name, &mut *out)) {
                continue;
            }
            if is_taken || !has_room(fitting.len()) {
                rest.push(item);
                continue;
            }
            let (item, mark) = self.without_mark(item);
            if is_shortened(&item, found, target) {
                rest.push(item.clone());
            }
            match self.item(item, &found.kind, &target.kind) {
                Ok(item) => fitting.push(item),
                Err(item) => rest.push(mark.again(*item)),
            }
        }
        out.put(&name, Items { items: fitting, is_list: target.element.repeats });
        self.keep(rest, found, out, paths);
    }

    /// Parts that are made from two places: what is not there yet is added.
    fn merge(
        &mut self,
        item: &Item,
        (found, target): (&Found<'_>, &Found<'_>),
        (name, out): (&str, &mut Object),
    ) -> bool {
        let is_part = found.kind.contains('.') && target.kind.contains('.');
        let (Some(Node::Object(there)), Some(Node::Object(object))) = (out.get_mut(name), &item.value) else {
            return false;
        };
        if is_part {
            let made = self.object(object.clone(), Paths { from: &found.kind, to: &target.kind });
            for (name, node) in made.0 {
                there.set(&name, node);
            }
        }
        is_part
    }

    /// Puts back what an earlier conversion kept, unless the value in its place was changed since.
    fn restore(
        &mut self,
        restored: Vec<Restored>,
        out: &mut Object,
        context: (&[(String, String)], Paths<'_>),
    ) {
        for Restored { name, repeats, item } in restored {
            let Some(item) = self.join_first(&name, item, out) else {
                continue;
            };
            let Some(there) = out.get_mut(&name).filter(|_| !repeats) else {
                out.put(&name, Items { items: vec![item], is_list: repeats });
                continue;
            };
            match (there, item.value) {
                (there, Some(kept)) if there.is_within(&kept) => {
                    let replaced = std::mem::replace(there, kept);
                    self.note(&replaced, Note::Implied);
                }
                (Node::Object(there), Some(Node::Object(kept))) => self.add_missing(there, kept),
                (there @ Node::Leaf { .. }, Some(kept @ Node::Leaf { .. })) => {
                    let original = kept.text().unwrap_or_default().to_owned();
                    if statements::came_from(self, (&name, &original), context) {
                        let replaced = std::mem::replace(there, kept);
                        self.note(&replaced, Note::Implied);
                    } else {
                        self.note(&kept, CHANGED);
                    }
                }
                (_, kept) => kept.iter().for_each(|it| self.note(it, CHANGED)),
            }
        }
    }

    pub(super) fn add_missing(&mut self, there: &mut Object, kept: Object) {
        for (name, node) in kept.0 {
            if there.get(&name).is_none() {
                there.set(&name, node);
            } else {
                self.note(&node, CHANGED);
            }
        }
    }
}

const CHANGED: Note = Note::Dropped("changed since it was kept");

/// The texts of an object, by name.
fn texts(object: &Object) -> Vec<(String, String)> {
    let texts = object.0.iter().filter_map(|(name, node)| Some((name.clone(), node.text()?.to_owned())));
    texts.collect()
}
