//! Where every value of one form of a resource stands in the next, and what became of those that stand nowhere.
//! It is found out by comparing the two forms, so nothing can be forgotten in it. Reasons explain what was found;
//! what has none is `unaccounted`, which tests look for.

mod codes;
mod compare;
mod sent_task;
mod to_clinic;
mod versions;
mod whole;

pub use codes::explain_codes;
pub use compare::{Change, Reasons, Relink, compare, keep_references};
pub use sent_task::of_gathered;
pub use to_clinic::of_translation;
pub use versions::of_conversion;
pub use whole::{dropped, whole};

use std::collections::HashMap;

/// What stands nowhere and has no reason: a fault of ours.
pub const UNACCOUNTED: &str = "unaccounted";

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It says the same in the same element.
    Carried,
    /// It stands in another element or in another form, or another element says it.
    Mapped,
    /// It rides along as an extension.
    Kept,
    /// It is gone.
    Dropped,
}

impl Fate {
    /// Every fate.
    pub const ALL: [Self; 4] = [Self::Carried, Self::Mapped, Self::Kept, Self::Dropped];

    /// The word that reports use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Mapped => "mapped",
            Self::Kept => "kept",
            Self::Dropped => "dropped",
        }
    }

    /// Of two steps, what is to be said of both together.
    const fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Dropped, _) | (_, Self::Dropped) => Self::Dropped,
            (Self::Kept, _) | (_, Self::Kept) => Self::Kept,
            (Self::Mapped, _) | (_, Self::Mapped) => Self::Mapped,
            (Self::Carried, Self::Carried) => Self::Carried,
        }
    }
}

/// A value of the source, and where it is now. Places are FHIRPath over the whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its place in the source.
    pub from: String,
    /// Its place in the result; none where it stands nowhere.
    pub to: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// How it got there, or why it did not; empty where there is nothing to say.
    pub how: String,
}

/// A value of the result that is not from the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its place in the result.
    pub to: String,
    /// Where it comes from.
    pub how: String,
}

/// The account of one or more steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Every value of the source, in its order.
    pub passages: Vec<Passage>,
    /// Every other value of the result, in its order.
    pub added: Vec<Added>,
}

/// How many values went which way. `carried + mapped + kept + dropped` is `all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of the source.
    pub all: usize,
    /// As they were.
    pub carried: usize,
    /// In another place or form.
    pub mapped: usize,
    /// As extensions.
    pub kept: usize,
    /// Gone.
    pub dropped: usize,
    /// Not from the source.
    pub added: usize,
}

impl Tally {
    /// How many have this fate.
    pub const fn of(&self, fate: Fate) -> usize {
        match fate {
            Fate::Carried => self.carried,
            Fate::Mapped => self.mapped,
            Fate::Kept => self.kept,
            Fate::Dropped => self.dropped,
        }
    }

    /// The same in tenths of a per cent, so rounded that they sum to 1000: what is left by rounding down goes to
    /// those that lost most by it.
    pub fn per_mille(&self) -> [(Fate, usize); 4] {
        let all = self.all.max(1);
        let mut shares = Fate::ALL.map(|it| (it, self.of(it) * 1000 / all));
        let missing = if self.all == 0 { 0 } else { 1000 - shares.iter().map(|(_, it)| it).sum::<usize>() };
        let mut lost: Vec<usize> = (0..shares.len()).collect();
        lost.sort_by_key(|it| std::cmp::Reverse(self.of(shares[*it].0) * 1000 % all));
        for it in lost.into_iter().take(missing) {
            shares[it].1 += 1;
        }
        shares
    }
}

impl Account {
    /// How many values went which way.
    pub fn tally(&self) -> Tally {
        let count = |fate| self.passages.iter().filter(|it| it.fate == fate).count();
        Tally {
            all: self.passages.len(),
            carried: count(Fate::Carried),
            mapped: count(Fate::Mapped),
            kept: count(Fate::Kept),
            dropped: count(Fate::Dropped),
            added: self.added.len(),
        }
    }

    /// This step and the next one, whose source is this one's result.
    #[must_use]
    pub fn then(self, next: &Self) -> Self {
        let by_source: HashMap<&str, &Passage> =
            next.passages.iter().map(|it| (it.from.as_str(), it)).collect();
        let mut reached: HashMap<&str, String> = HashMap::new();
        let mut passages = Vec::with_capacity(self.passages.len());
        for first in self.passages {
            let second = first.to.as_deref().and_then(|it| by_source.get(it));
            let Some(second) = second else {
                // What stands in no place is as it is; what stands in one that the next step does not know is lost.
                let lost = first.to.is_some();
                passages.push(if lost { gone(first, UNACCOUNTED) } else { first });
                continue;
            };
            reached.insert(second.from.as_str(), String::new());
            passages.push(Passage {
                from: first.from,
                to: second.to.clone(),
                fate: first.fate.then(second.fate),
                how: joined(&first.how, &second.how),
            });
        }
        for it in self.added {
            if let Some(second) = by_source.get(it.to.as_str()) {
                reached.insert(second.from.as_str(), it.how);
            }
        }
        let mut added = next.added.clone();
        for second in &next.passages {
            let how = match reached.get(second.from.as_str()) {
                // A passage has it.
                Some(how) if how.is_empty() => continue,
                Some(how) => joined(how, &second.how),
                None => joined("added by the version map", &second.how),
            };
            added.extend(second.to.clone().map(|to| Added { to, how }));
        }
        Self { passages, added }
    }

    /// The passages of what stands at a place of the source, or below it.
    pub fn at<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Passage> {
        self.passages.iter().filter(move |it| is_at(&it.from, place))
    }
}

/// Whether a place is another one or below it. The other may leave out the indexes.
pub fn is_at(place: &str, wanted: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    place.strip_prefix(wanted).is_some_and(below)
        || without_indexes(place).strip_prefix(wanted).is_some_and(below)
}

/// `Task.input.type` of `Task.input[0].type`.
pub fn without_indexes(place: &str) -> String {
    let mut out = String::with_capacity(place.len());
    let mut inside = false;
    for letter in place.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            other if !inside => out.push(other),
            _ => {}
        }
    }
    out
}

fn gone(passage: Passage, how: &str) -> Passage {
    Passage { to: None, fate: Fate::Dropped, how: joined(&passage.how, how), ..passage }
}

/// Two explanations, one behind the other.
fn joined(first: &str, second: &str) -> String {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second.to_owned(),
        (_, true) => first.to_owned(),
        _ => format!("{first}; {second}"),
    }
}

#[cfg(test)]
mod tests;
