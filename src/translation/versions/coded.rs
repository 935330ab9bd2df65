//! Codes that one version writes as such and the other as CodeableConcepts.

use super::node::{Item, Items, Node, Object};
use super::report::Note;
use super::table::Found;
use super::walk::{Paths, Walk};

/// A code on one side, a CodeableConcept with one Coding of a known system on the other.
pub(super) fn coded(
    walk: &mut Walk<'_>,
    items: Items,
    system: &str,
    (found, target): (&Found<'_>, &Found<'_>),
    (out, paths): (&mut Object, Paths<'_>),
) {
    let mut made = Vec::new();
    for item in items.items {
        match item.value {
            Some(Node::Leaf { value, origin }) if target.kind == "CodeableConcept" => {
                let mut coding = Object::default();
                coding.set("system", Node::added(system));
                coding.set("code", Node::Leaf { value, origin });
                let mut concept = Object::default();
                concept.put("coding", Items::list(vec![Item::of(Node::Object(coding))]));
                made.push(Item::of(Node::Object(concept)));
            }
            Some(Node::Object(concept)) if found.kind == "CodeableConcept" => {
                let code = code_of(&concept, system).cloned();
                if has_more(&concept, system) {
                    let whole = Item::of(Node::Object(concept));
                    walk.keep(vec![whole], found, out, paths);
                } else if let Some(Node::Object(coding)) = first_coding(&concept) {
                    coding.get("system").iter().for_each(|it| walk.note(it, Note::Implied));
                }
                made.extend(code.map(Item::of));
            }
            value => walk.keep(vec![Item { value, extra: item.extra }], found, out, paths),
        }
    }
    let name = target.element.json_name(&target.kind);
    out.put(&name, Items { items: made, is_list: target.element.repeats });
}

fn first_coding(concept: &Object) -> Option<&Node> {
    match concept.get("coding") {
        Some(Node::List(list)) => list.first(),
        _ => None,
    }
}

pub(super) fn code_of<'o>(concept: &'o Object, system: &str) -> Option<&'o Node> {
    let Some(Node::List(codings)) = concept.get("coding") else {
        return None;
    };
    codings.iter().find_map(|it| match it {
        Node::Object(it) if it.text("system") == Some(system) => it.get("code"),
        _ => None,
    })
}

/// Whether a concept says more than a code of this system.
pub(super) fn has_more(concept: &Object, system: &str) -> bool {
    let Some(Node::Object(coding)) = first_coding(concept) else {
        return true;
    };
    let is_plain =
        coding.0.len() == 2 && coding.text("system") == Some(system) && coding.get("code").is_some();
    !is_plain
        || concept.0.len() != 1
        || !matches!(concept.get("coding"), Some(Node::List(it)) if it.len() == 1)
}
