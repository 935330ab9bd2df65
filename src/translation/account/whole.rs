//! An account of a whole file, put together from those of its parts.

use std::collections::HashMap;

use serde_json::Value;

use super::compare::leaves;
use super::{Account, Fate, Passage};

/// Every value of the source in its order, as the parts have it. What no part has is dropped, for the reason that
/// `rest` gives.
pub fn whole(
    (root, source): (&str, &Value),
    parts: impl IntoIterator<Item = Account>,
    rest: impl Fn(&str) -> &'static str,
) -> Account {
    let mut found: HashMap<String, Passage> = HashMap::new();
    let mut added = Vec::new();
    for part in parts {
        for it in part.passages {
            found.entry(it.from.clone()).or_insert(it);
        }
        added.extend(part.added);
    }
    let mut passages = Vec::new();
    leaves(source, root, &mut |from, _| {
        passages.push(found.remove(from).unwrap_or_else(|| gone(from, rest(from))));
    });
    Account { passages, added }
}

/// The account of a part of which nothing is left.
pub fn dropped((place, value): (&str, &Value), how: &str) -> Account {
    let mut passages = Vec::new();
    leaves(value, place, &mut |from, _| passages.push(gone(from, how)));
    Account { passages, added: Vec::new() }
}

fn gone(from: &str, how: &str) -> Passage {
    Passage { from: from.to_owned(), to: None, fate: Fate::Dropped, how: how.to_owned() }
}

impl Account {
    /// Finds values that were dropped from places with one ending and added in places with another, and are equal.
    pub fn claim_moved(
        &mut self,
        (source, ending): (&Value, &str),
        (results, new_ending): (&[(String, &Value)], &str),
        how: &str,
    ) {
        let mut values: HashMap<String, &Value> = HashMap::new();
        let root = crate::fhir::resource::resource_type(source);
        leaves(source, root, &mut |place, value| {
            values.insert(place.to_owned(), value);
        });
        let mut there: Vec<(String, &Value)> = Vec::new();
        for (name, result) in results {
            leaves(result, name, &mut |place, value| there.push((place.to_owned(), value)));
        }
        for it in self.passages.iter_mut().filter(|it| it.fate == Fate::Dropped && it.from.ends_with(ending))
        {
            let Some(value) = values.get(&it.from) else { continue };
            let is_new = |place: &String| self.added.iter().any(|it| it.to == *place);
            let new = there.iter().find(|(to, now)| to.ends_with(new_ending) && now == value && is_new(to));
            let Some((to, _)) = new else { continue };
            self.added.retain(|it| it.to != *to);
            (it.to, it.fate, it.how) = (Some(to.clone()), Fate::Mapped, how.to_owned());
        }
    }

    /// The same under other roots: those of a resource that travels along have its number.
    #[must_use]
    pub fn under(mut self, number: usize, (from, to): (&str, &str)) -> Self {
        if number == 0 {
            return self;
        }
        let rooted = |place: &str, root: &str| match place.find('.') {
            Some(at) => format!("{root}{}", &place[at..]),
            None => root.to_owned(),
        };
        for it in &mut self.passages {
            it.from = rooted(&it.from, from);
            it.to = it.to.as_deref().map(|it| rooted(it, to));
        }
        for it in &mut self.added {
            it.to = rooted(&it.to, to);
        }
        self
    }
}
