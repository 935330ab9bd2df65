//! An element that is a part of its own in the other version, known by a code.

use super::coded::{code_of, has_more};
use super::map::Side;
use super::node::{Item, Items, Node, Object};
use super::report::Note;
use super::table::{Found, Table};
use super::walk::{Paths, Walk};

/// `recorder = participant.actor where function …`: a part of its own on the right.
pub(super) fn move_part(
    walk: &mut Walk<'_>,
    (from, to, (element, system, code)): (&[String], &[String], (&str, &str, &str)),
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    if walk.to_side == Side::Right {
        let ([name], [parent, leaf]) = (from, to) else {
            return;
        };
        let (Some(items), Some(found)) = (source.take(name), walk.source().find(paths.from, name)) else {
            return;
        };
        let Some((path, target)) = part(walk.target(), paths.to, parent, leaf) else {
            return walk.keep(items.items, &found, out, paths);
        };
        let mut made = Object::default();
        walk.transfer(items, (&found, &target), &mut made, Paths { from: paths.from, to: &path });
        let mut coding = Object::default();
        coding.set("system", Node::added(system));
        coding.set("code", Node::added(code));
        let mut concept = Object::default();
        concept.put("coding", Items::list(vec![Item::of(Node::Object(coding))]));
        made.set(element, Node::Object(concept));
        out.put(parent, Items::list(vec![Item::of(Node::Object(made))]));
        return;
    }
    let ([parent, leaf], [name]) = (from, to) else {
        return;
    };
    let (Some(mut parts), Some(target)) = (source.take(parent), walk.target().find(paths.to, name)) else {
        return;
    };
    let Some((path, found)) = part(walk.source(), paths.from, parent, leaf) else {
        return;
    };
    let fits = |it: &Item| match &it.value {
        Some(Node::Object(it)) if it.get(leaf).is_some() && it.0.len() == 2 => match it.get(element) {
            Some(Node::Object(concept)) => {
                !has_more(concept, system) && code_of(concept, system).and_then(Node::text) == Some(code)
            }
            _ => false,
        },
        _ => false,
    };
    if let Some(at) = parts.items.iter().position(fits)
        && let Some(Node::Object(mut it)) = parts.items.remove(at).value
    {
        let items = it.take(leaf).unwrap_or_default();
        it.0.iter().for_each(|(_, it)| walk.note(it, Note::Implied));
        walk.transfer(items, (&found, &target), out, Paths { from: &path, to: paths.to });
    }
    source.put(parent, parts);
}

fn part<'t>(table: &'t Table, path: &str, parent: &str, leaf: &str) -> Option<(String, Found<'t>)> {
    let kind = table.find(path, parent)?.kind;
    let found = table.find(&kind, leaf)?;
    Some((kind, found))
}
