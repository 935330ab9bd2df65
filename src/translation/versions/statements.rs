//! What a map states, done.

use std::borrow::Cow;

use serde_json::Value;

use super::coded::coded;
use super::map::{Codes, How, Side, Statement};
use super::node::{Item, Items, Node, Object};
use super::part::move_part;
use super::places::{place_at, take_at};
use super::report::Note;
use super::walk::{Paths, Walk};

/// Does what a statement says, from the source to what is made of it.
pub(super) fn apply(
    walk: &mut Walk<'_>,
    statement: &Statement,
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    let to_left = walk.to_side == Side::Left;
    match statement {
        Statement::Move { left, right, how } => {
            let (from, to) = if to_left { (right, left) } else { (left, right) };
            for (from, to) in choices(source, from, to) {
                move_one(walk, (&from, &to, how), (source, out), paths);
            }
        }
        Statement::Join { concept, reference, right } if to_left => {
            split(walk, (concept, reference, right), (source, out), paths);
        }
        Statement::Join { concept, reference, right } => {
            for name in [concept, reference] {
                carry_to(walk, (name, right), (source, out), paths);
            }
        }
        Statement::Negation { status, by, otherwise } => {
            if to_left && has(source, &by.0, &by.1) {
                drop_implied(walk, source, &status.0, otherwise);
            }
            negate(walk, (status, by), (source, out), paths);
        }
        Statement::Types { element } => rename_types(walk, source, element),
        Statement::Default { side, element, code } if *side != walk.to_side => {
            if walk.target().find(paths.to, element).is_none() {
                drop_implied(walk, source, element, code);
            }
        }
        Statement::Default { .. } | Statement::Modifier { .. } | Statement::Call { .. } => {}
    }
}

fn has(object: &Object, name: &str, text: &str) -> bool {
    matches!(object.get(name), Some(Node::Leaf { value, .. }) if *value == typed(text))
}

/// What the conversion back would add again need not be kept.
fn drop_implied(walk: &mut Walk<'_>, source: &mut Object, name: &str, text: &str) {
    if has(source, name, text)
        && let Some(node) = source.remove(name)
    {
        walk.note(&node, Note::Implied);
    }
}

/// What is added at the end where nothing else brought it.
pub(super) fn complete(statement: &Statement, to_side: Side, out: &mut Object) {
    let (side, element, code) = match statement {
        Statement::Default { side, element, code } => (*side, element, code),
        Statement::Negation { status, otherwise, by } if out.get(&by.0).is_some() => {
            (Side::Right, &status.0, otherwise)
        }
        _ => return,
    };
    if side == to_side && out.get(element).is_none() {
        out.set(element, Node::Leaf { value: typed(code), origin: None });
    }
}

/// Whether what was kept is what the present value was made of.
pub(super) fn came_from(
    walk: &Walk<'_>,
    (name, original): (&str, &str),
    (given, paths): (&[(String, String)], Paths<'_>),
) -> bool {
    let to_left = walk.to_side == Side::Left;
    let mut source_name = name;
    let mut codes = None;
    let mut negated = None;
    for statement in walk.statements(paths) {
        match statement {
            Statement::Move { left, right, how } => {
                let (from, to) = if to_left { (right, left) } else { (left, right) };
                if let ([from], [to]) = (from.as_slice(), to.as_slice())
                    && to == name
                {
                    source_name = from;
                    codes = if let How::Codes(codes) = how { Some(codes) } else { codes };
                }
            }
            Statement::Negation { status, .. } if status.0 == name => negated = Some(&status.1),
            _ => {}
        }
    }
    let Some((_, given)) = given.iter().find(|(it, _)| it == source_name) else {
        return false;
    };
    let from_side = if to_left { Side::Right } else { Side::Left };
    let made = codes.map_or(Cow::Borrowed(original), |it| it.translate(original, from_side));
    made == given.as_str() || negated == Some(given) || original.starts_with(given.as_str())
}

/// The names of a choice as this object has it; otherwise the names themselves.
fn choices(source: &Object, from: &[String], to: &[String]) -> Vec<(Vec<String>, Vec<String>)> {
    let (Some(last), Some(to_last)) = (from.last(), to.last()) else {
        return Vec::new();
    };
    let Some(base) = last.strip_suffix("[x]") else {
        return vec![(from.to_vec(), to.to_vec())];
    };
    let to_base = to_last.trim_end_matches("[x]");
    let names = source.0.iter().filter_map(|(name, _)| name.trim_start_matches('_').strip_prefix(base));
    let mut suffixes: Vec<&str> = names.filter(|it| it.starts_with(|it: char| it.is_uppercase())).collect();
    suffixes.dedup();
    suffixes.iter().map(|it| (vec![format!("{base}{it}")], vec![format!("{to_base}{it}")])).collect()
}

fn move_one(
    walk: &mut Walk<'_>,
    (from, to, how): (&[String], &[String], &How),
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    if let How::Where { element, system, code } = how {
        return move_part(walk, (from, to, (element, system, code)), (source, out), paths);
    }
    let Some((mut items, found, from_path)) = take_at(walk, source, from, paths.from) else {
        return;
    };
    let Some((place, target, to_path)) = place_at(walk, out, to, paths.to) else {
        // The type of a choice that the other version does not have.
        let inner = Paths { from: &from_path, to: paths.to };
        return walk.keep(items.items, &found, out, inner);
    };
    let inner = Paths { from: &from_path, to: &to_path };
    match how {
        How::Codes(codes) => {
            let kept = translate(walk, &mut items, codes);
            walk.transfer(items, (&found, &target), place, inner);
            walk.keep(kept, &found, place, inner);
        }
        How::System(system) => coded(walk, items, system, (&found, &target), (place, inner)),
        _ => walk.transfer(items, (&found, &target), place, inner),
    }
}

/// Translates codes. What could not come back by itself is returned as it was.
fn translate(walk: &Walk<'_>, items: &mut Items, codes: &Codes) -> Vec<Item> {
    let back = if walk.to_side == Side::Left { Side::Right } else { Side::Left };
    let mut kept = Vec::new();
    for item in &mut items.items {
        let Some(text) = item.value.as_ref().and_then(Node::text).map(str::to_owned) else {
            continue;
        };
        let made = codes.translate(&text, walk.to_side);
        if codes.translate(&made, back) != text {
            kept.push(item.clone());
        }
        if let Some(Node::Leaf { value, .. }) = &mut item.value {
            *value = Value::from(made.as_ref());
        }
    }
    kept
}

/// A list of CodeableReferences in two: concepts and references.
fn split(
    walk: &mut Walk<'_>,
    (concept, reference, right): (&str, &str, &str),
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    let (Some(items), Some(found)) = (source.take(right), walk.source().find(paths.from, right)) else {
        return;
    };
    walk.check_form(&items, &found, right);
    let is_concept = |it: &Item| matches!(&it.value, Some(Node::Object(it)) if it.get("concept").is_some());
    let is_list = items.is_list;
    let (concepts, references): (Vec<Item>, Vec<Item>) = items.items.into_iter().partition(is_concept);
    for (name, items) in [(concept, concepts), (reference, references)] {
        match walk.target().find(paths.to, name) {
            Some(target) => walk.transfer(Items { items, is_list }, (&found, &target), out, paths),
            None => walk.keep(items, &found, out, paths),
        }
    }
}

fn carry_to(
    walk: &mut Walk<'_>,
    (from, to): (&str, &str),
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    let found = walk.source().find(paths.from, from).zip(walk.target().find(paths.to, to));
    if let (Some(items), Some((found, target))) = (source.take(from), found) {
        walk.check_form(&items, &found, from);
        walk.transfer(items, (&found, &target), out, paths);
    }
}

/// R4 says in its status that something was not done; STU3 has an element of its own for it.
fn negate(
    walk: &mut Walk<'_>,
    (status, by): (&(String, String), &(String, String)),
    (source, out): (&mut Object, &mut Object),
    paths: Paths<'_>,
) {
    if walk.to_side == Side::Left {
        let says_not = has(source, &by.0, &by.1);
        let Some(Node::Leaf { origin, .. }) = says_not.then(|| source.remove(&by.0)).flatten() else {
            return;
        };
        out.set(&status.0, Node::Leaf { value: Value::from(status.1.as_str()), origin });
        if let (Some(items), Some(found)) =
            (source.take(&status.0), walk.source().find(paths.from, &status.0))
        {
            walk.keep(items.items, &found, out, paths);
        }
    } else if source.text(&status.0) == Some(&status.1)
        && let Some(Node::Leaf { origin, .. }) = source.remove(&status.0)
    {
        out.set(&by.0, Node::Leaf { value: typed(&by.1), origin });
    }
}

fn typed(text: &str) -> Value {
    text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from)
}

/// `ReferralRequest/7` is `ServiceRequest/7` on the other side.
fn rename_types(walk: &Walk<'_>, source: &mut Object, element: &str) {
    if let Some(Node::Leaf { value, .. }) = source.get_mut(element)
        && let Some(text) = value.as_str()
    {
        let renamed = text.split('/').map(|word| {
            let (name, query) =
                word.split_once('?').map_or((word, None), |(name, query)| (name, Some(query)));
            let name = walk.map.type_name(name, walk.to_side, None);
            query.map_or_else(|| name.to_owned(), |query| format!("{name}?{query}"))
        });
        *value = Value::from(renamed.collect::<Vec<_>>().join("/"));
    }
}
