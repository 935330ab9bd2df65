//! What the other version has no element for rides along as an extension, and comes back from it
//! (FHIR R5, versions, extensions for converting between versions):
//! `http://hl7.org/fhir/5.0/StructureDefinition/extension-Task.requestedPeriod`.

use super::map::{Side, Statement};
use super::node::{Item, Items, Node, Object};
use super::report::Note;
use super::table::{Element, Found, Shape, capitalised, is_primitive};
use super::walk::{Paths, Walk};
use crate::model::fhir_version::FhirVersion;

/// An element that comes back.
pub(super) struct Restored {
    pub(super) name: String,
    pub(super) repeats: bool,
    pub(super) item: Item,
}

const LISTS: [&str; 2] = ["extension", "modifierExtension"];

impl Walk<'_> {
    /// Keeps values of an element on the object that is made.
    pub(super) fn keep(&mut self, items: Vec<Item>, found: &Found<'_>, out: &mut Object, paths: Paths<'_>) {
        if items.is_empty() {
            return;
        }
        let can_extend = self.target().find(paths.to, LISTS[0]).is_some();
        let url = format!("{}{}.{}", prefix(self.from), paths.from, found.element.name);
        let turns_round = self.turns_round(&found.element.name, paths);
        for item in items {
            if !can_extend || found.kind == "Resource" {
                let reason = Note::Dropped("the other version has no place for it");
                item.value.iter().chain(&item.extra).for_each(|it| self.note(it, reason));
                continue;
            }
            let is_false = matches!(&item.value, Some(Node::Leaf { value, .. }) if *value == false);
            let list = if turns_round && !is_false { LISTS[1] } else { LISTS[0] };
            let extension = self.encode(item, found, url.clone());
            out.extend(list, extension);
        }
    }

    fn turns_round(&self, name: &str, paths: Paths<'_>) -> bool {
        let from_side = if self.to_side == Side::Left { Side::Right } else { Side::Left };
        let mut stated = self.statements(paths).iter();
        stated.any(
            |it| matches!(it, Statement::Modifier { side, element } if *side == from_side && element == name),
        )
    }

    fn encode(&mut self, item: Item, found: &Found<'_>, url: String) -> Object {
        let mut extension = Object::default();
        extension.set("url", Node::added(url));
        let kind = found.kind.as_str();
        let name = format!("value{}", capitalised(carrier(kind, self.to)));
        if is_primitive(kind) {
            let extra = item.extra.map(|it| self.extra(it));
            extension.put(&name, Items::single(Item { value: item.value, extra }));
            return extension;
        }
        match item.value {
            Some(Node::Object(object)) if is_open(kind, self.to) => {
                let made = self.object(object, Paths { from: kind, to: kind });
                extension.set(&name, Node::Object(made));
            }
            Some(Node::Object(object)) => self.encode_parts(object, found, &mut extension),
            other => other.iter().for_each(|it| self.note(it, Note::Dropped("is no value of its type"))),
        }
        extension
    }

    /// A type that the other version does not have: its elements, each an extension.
    fn encode_parts(&mut self, mut object: Object, found: &Found<'_>, extension: &mut Object) {
        let kind = found.kind.as_str();
        if found.element.is_choice {
            let mut datatype = Object::default();
            datatype.set("url", Node::added("_datatype"));
            datatype.set("valueString", Node::added(kind));
            extension.extend(LISTS[0], datatype);
        }
        while let Some((first, _)) = object.0.first() {
            let name = first.trim_start_matches('_').to_owned();
            let Some(items) = object.take(&name) else {
                break;
            };
            let known = self.source().find(kind, &name);
            for item in items.items {
                match (&known, item.value) {
                    (Some(_), Some(Node::Object(own))) if LISTS.contains(&name.as_str()) => {
                        let own = self.object(own, Paths { from: "Extension", to: "Extension" });
                        extension.extend(LISTS[0], own);
                    }
                    (Some(part), value) => {
                        let item = Item { value, extra: item.extra };
                        let inner = self.encode(item, part, part.element.name.clone());
                        extension.extend(LISTS[0], inner);
                    }
                    (None, value) => {
                        if let Some(it) = &value {
                            self.note(it, Note::Dropped("is no element of its type"));
                        }
                    }
                }
            }
        }
    }

    /// Takes out what an earlier conversion kept for an object of this path.
    pub(super) fn take_kept(&mut self, source: &mut Object, to_path: &str) -> Vec<Restored> {
        let prefix = format!("{}{to_path}.", prefix(self.to));
        let mut restored = Vec::new();
        for list in LISTS {
            let is_there = |it: &Item| kept_name(it, &prefix).is_some();
            let Some(mut items) = source.take(list).filter(|it| it.is_list) else {
                continue;
            };
            if items.items.iter().any(is_there) {
                let (kept, others) = items.items.into_iter().partition(is_there);
                items.items = others;
                for item in kept {
                    match self.take_back(&item, &prefix, to_path) {
                        Some(it) => restored.push(it),
                        None => items.items.push(item),
                    }
                }
            }
            source.put(list, items);
        }
        restored
    }

    fn take_back(&mut self, item: &Item, prefix: &str, to_path: &str) -> Option<Restored> {
        let name = kept_name(item, prefix)?;
        let element = self.target().elements(to_path).iter().find(|it| it.name == name)?;
        let Some(Node::Object(extension)) = &item.value else {
            return None;
        };
        let (name, made) = self.decode(extension.clone(), element)?;
        Some(Restored { name, repeats: element.repeats, item: made })
    }

    /// The element that an extension stands for: its name in JSON and its value.
    fn decode(&mut self, mut extension: Object, element: &Element) -> Option<(String, Item)> {
        let value = extension.0.iter().map(|(name, _)| name.trim_start_matches('_'));
        let value = value.filter(|it| it.starts_with("value")).map(str::to_owned).next();
        let Some(value) = value else {
            return self.decode_parts(extension, element);
        };
        let from = self.source().find("Extension", &value)?.kind;
        let to = match &element.shape {
            Shape::Types(types) if !element.is_choice => types.first()?.clone(),
            Shape::Parts(_) => return None,
            _ => from.clone(),
        };
        let item = extension.take(&value)?.items.pop()?;
        let item = self.item(item, &from, &to).ok()?;
        extension.0.iter().for_each(|(_, it)| self.note(it, Note::Implied));
        Some((element.json_name(&to), item))
    }

    fn decode_parts(&mut self, mut extension: Object, element: &Element) -> Option<(String, Item)> {
        let mut parts = extension.take(LISTS[0])?.items;
        let url_of = |it: &Item| match &it.value {
            Some(Node::Object(it)) => it.text("url").unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let kind = match &element.shape {
            Shape::Parts(path) => path.clone(),
            Shape::Types(types) if !element.is_choice => types.first()?.clone(),
            _ => {
                let at = parts.iter().position(|it| url_of(it) == "_datatype")?;
                let Some(Node::Object(datatype)) = parts.remove(at).value else {
                    return None;
                };
                let kind = datatype.text("valueString")?.to_owned();
                self.note(&Node::Object(datatype), Note::Implied);
                kind
            }
        };
        let mut out = Object::default();
        for part in parts {
            let url = url_of(&part);
            let Some(Node::Object(part)) = part.value else {
                continue;
            };
            if url.contains(':') {
                let own = self.object(part, Paths { from: "Extension", to: "Extension" });
                out.extend(LISTS[0], own);
                continue;
            }
            let inner = self.target().elements(&kind).iter().find(|it| it.name == url)?;
            let (name, item) = self.decode(part, inner)?;
            out.put(&name, Items { items: vec![item], is_list: inner.repeats });
        }
        extension.0.iter().for_each(|(_, it)| self.note(it, Note::Implied));
        Some((element.json_name(&kind), Item::of(Node::Object(out))))
    }

    /// Notes of which rarer type a resource was.
    pub(super) fn mark(&self, out: &mut Object, name: &str) {
        let mut extension = Object::default();
        extension.set("url", Node::added(mark_url(self.from)));
        extension.set("valueString", Node::added(name));
        out.extend(LISTS[0], extension);
    }

    /// Takes such a note out again.
    pub(super) fn take_mark(&mut self, resource: &mut Object) -> Option<String> {
        let url = mark_url(self.to);
        let mut items = resource.take(LISTS[0]).filter(|it| it.is_list)?;
        let is_mark = |it: &Item| matches!(&it.value, Some(Node::Object(it)) if it.text("url") == Some(&url));
        let at = items.items.iter().position(is_mark);
        let mark = at.map(|at| items.items.remove(at));
        resource.put(LISTS[0], items);
        let Some(Node::Object(mark)) = mark?.value else {
            return None;
        };
        let name = mark.text("valueString").map(str::to_owned);
        self.note(&Node::Object(mark), Note::Implied);
        name
    }
}

fn kept_name<'i>(item: &'i Item, prefix: &str) -> Option<&'i str> {
    let Some(Node::Object(extension)) = &item.value else {
        return None;
    };
    extension.text("url")?.strip_prefix(prefix).filter(|it| !it.contains('.'))
}

fn prefix(version: FhirVersion) -> String {
    format!("http://hl7.org/fhir/{}/StructureDefinition/extension-", version.short())
}

fn mark_url(version: FhirVersion) -> String {
    format!("http://hl7.org/fhir/{}/StructureDefinition/BaseType", version.short())
}

/// The type as which an extension of a version carries a primitive that it may not carry itself.
fn carrier(kind: &str, version: FhirVersion) -> &str {
    match (kind, version) {
        ("integer64", FhirVersion::Stu3 | FhirVersion::R4 | FhirVersion::R4b) | ("xhtml", _) => "string",
        ("canonical" | "url" | "uuid", FhirVersion::Stu3) => "uri",
        _ => kind,
    }
}

/// Types that an extension of every version may have as its value, and whose names did not change. Of those
/// that only some versions allow, the elements are written out.
fn is_open(kind: &str, version: FhirVersion) -> bool {
    let since_r4 =
        ["ContactDetail", "DataRequirement", "Expression", "RelatedArtifact", "UsageContext", "Dosage"];
    let always = [
        "Address",
        "Age",
        "Annotation",
        "Attachment",
        "CodeableConcept",
        "Coding",
        "ContactPoint",
        "Count",
        "Distance",
        "Duration",
        "HumanName",
        "Identifier",
        "Meta",
        "Period",
        "Quantity",
        "Range",
        "Ratio",
        "Reference",
        "SampledData",
        "Signature",
        "SimpleQuantity",
        "Timing",
    ];
    always.contains(&kind) || (version != FhirVersion::Stu3 && since_r4.contains(&kind))
}
