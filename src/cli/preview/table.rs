//! Which element of the file became which.

use crate::app::preview::Previewed;
use crate::cli::say;
use crate::translation::account::{Added, Fate, Passage};

/// One resource below the other. What is carried as a whole is one line.
pub(super) fn report(previewed: &Previewed) {
    let mut resources: Vec<(&str, Vec<&Passage>)> = Vec::new();
    for it in &previewed.account.passages {
        let (resource, _) = previewed.places.resource_of(&it.from);
        match resources.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, own)) => own.push(it),
            None => resources.push((resource, vec![it])),
        }
    }
    for (resource, own) in resources {
        say(&format!("table      {}", heading(previewed, resource, &own)));
        rows(&own, resource);
    }
    added(previewed);
}

/// One line for each value, with complete places.
pub(super) fn every_value(previewed: &Previewed) {
    for it in &previewed.account.passages {
        say(&line(&it.from, it, it.to.as_deref()));
    }
}

fn heading(previewed: &Previewed, resource: &str, own: &[&Passage]) -> String {
    let name = previewed.places.type_of(resource);
    let to = target(resource, own).map_or_else(String::new, |to| format!(" → {to}"));
    if name == resource { format!("{resource}{to}") } else { format!("{resource}, {name}{to}") }
}

/// The resource of the result that stands for one of the source: that of the first value that is carried.
fn target(resource: &str, own: &[&Passage]) -> Option<String> {
    own.iter()
        .find_map(|it| Some(it.to.as_deref()?.strip_suffix(it.from.strip_prefix(resource)?)?.to_owned()))
}

fn rows(own: &[&Passage], resource: &str) {
    let to = target(resource, own).unwrap_or_default();
    let mut rest = own;
    while let Some(first) = rest.first() {
        let element = element_of(&first.from[resource.len()..]);
        let count = rest.iter().take_while(|it| element_of(&it.from[resource.len()..]) == element).count();
        let (same, others) = rest.split_at(count);
        if same.iter().all(|it| is_in_place(it, resource, &to)) && count > 1 {
            say(&format!("  {element:<44} {} ({count} values)", Fate::Carried.word()));
        } else {
            for it in same {
                let there = it.to.as_deref().map(|it| short(it, &to));
                say(&line(short(&it.from, resource), it, there));
            }
        }
        rest = others;
    }
}

fn is_in_place(it: &Passage, resource: &str, to: &str) -> bool {
    let path = &it.from[resource.len()..];
    let same = it.to.as_deref().and_then(|it| it.strip_prefix(to)) == Some(path);
    it.fate == Fate::Carried && it.how.is_empty() && same
}

fn line(from: &str, it: &Passage, to: Option<&str>) -> String {
    let to = to.filter(|to| *to != from).map_or_else(String::new, |to| format!(" → {to}"));
    let how = if it.how.is_empty() { String::new() } else { format!(": {}", it.how) };
    format!("  {from:<44} {}{to}{how}", it.fate.word())
}

fn added(previewed: &Previewed) {
    let mut rest = previewed.account.added.as_slice();
    while let Some(first) = rest.first() {
        let (resource, _) = resource_and_element(&first.to);
        let is_same = |it: &&Added| resource_and_element(&it.to).0 == resource && it.how == first.how;
        let (same, others) = rest.split_at(rest.iter().take_while(is_same).count());
        let mut elements: Vec<&str> = same.iter().map(|it| resource_and_element(&it.to).1).collect();
        elements.dedup();
        let values = if same.len() == 1 { "1 value".to_owned() } else { format!("{} values", same.len()) };
        say(&format!("added      {resource}: {} ({values}): {}", elements.join(", "), first.how));
        rest = others;
    }
}

/// `identifier[0]` of `.identifier[0].type.coding[0].code`.
fn element_of(path: &str) -> &str {
    path.trim_start_matches('.').split('.').next().unwrap_or_default()
}

/// A resource of the result or its entry, and the element of it that a place is in.
fn resource_and_element(place: &str) -> (&str, &str) {
    let inside = place.rfind(".resource.").map(|at| at + ".resource".len());
    let of_entry = || place.strip_prefix("Bundle.entry[").and_then(|_| place.find("].")).map(|at| at + 1);
    let end = inside.or_else(of_entry).or_else(|| place.find('.')).unwrap_or(place.len());
    let element = place[end..].trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
    (&place[..end], element)
}

fn short<'p>(place: &'p str, resource: &str) -> &'p str {
    place.strip_prefix(resource).and_then(|it| it.strip_prefix('.')).unwrap_or(place)
}
