//! What became of every value of the source. It is found out by looking where the values are afterwards, so
//! none can be forgotten. Places are told, never values.

use serde_json::Value;

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is where it was, and the same.
    Carried,
    /// It is in another place or another form, or what it says is said by another element.
    Mapped,
    /// It rides along as an extension.
    Kept,
    /// It is gone, for this reason.
    Dropped(&'static str),
}

/// A value of the source, and where it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its place in the source, as FHIRPath.
    pub from: String,
    /// Its place in the result.
    pub to: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// The account of one conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every value of the source, in its order.
    pub passages: Vec<Passage>,
    /// The places of values that were not in the source and are needed in the result.
    pub added: Vec<String>,
    /// The type of the source and that of the result, where it is a single resource.
    pub(super) root: (String, String),
}

/// How many values went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
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

/// What the conversion says about a value that is not in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Another element says it.
    Implied,
    Dropped(&'static str),
}

/// What is not there and has no note: a fault of a map, which tests look for.
pub(super) const UNACCOUNTED: &str = "unaccounted";

impl Report {
    /// How many values went which way; all but `added` sum to `all`.
    pub fn counts(&self) -> Counts {
        let count = |wanted: fn(Fate) -> bool| self.passages.iter().filter(|it| wanted(it.fate)).count();
        Counts {
            all: self.passages.len(),
            carried: count(|it| it == Fate::Carried),
            mapped: count(|it| it == Fate::Mapped),
            kept: count(|it| it == Fate::Kept),
            dropped: count(|it| matches!(it, Fate::Dropped(_))),
            added: self.added.len(),
        }
    }

    /// A place in the result as the source has it. A place that nothing of the source leads to is told under
    /// the nearest one above it.
    pub fn place_in_source(&self, place: &str) -> String {
        let mut above = place;
        let mut missing = "";
        loop {
            if let Some(found) = self.same_place(above) {
                return format!("{found}{missing}");
            }
            match above.rfind(['.', '[']) {
                Some(at) => (above, missing) = (&place[..at], &place[at..]),
                None if above == self.root.1 => return format!("{}{missing}", self.root.0),
                None => return place.to_owned(),
            }
        }
    }

    /// By a value at this place or below it.
    fn same_place(&self, place: &str) -> Option<String> {
        let below = |it: &str| {
            it.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let fitting = self.passages.iter().filter(|it| it.to.as_deref().is_some_and(below));
        let shared = |it: &Passage| {
            let rest = &it.to.as_deref().unwrap_or_default()[place.len()..];
            it.from.strip_suffix(rest).map(str::to_owned)
        };
        let mut fitting = fitting.peekable();
        let first = fitting.peek().map(|it| it.from.clone())?;
        fitting.find_map(shared).or_else(|| first.rfind('.').map(|at| first[..at].to_owned()))
    }
}

/// Makes the account from what was found in the result.
pub(super) struct Ledger {
    pub(super) places: Vec<String>,
    pub(super) values: Vec<Value>,
    pub(super) root: (String, String),
    found: Vec<Option<(String, bool)>>,
    added: Vec<String>,
}

impl Ledger {
    pub(super) fn new(places: Vec<String>, values: Vec<Value>, root: (String, String)) -> Self {
        let found = vec![None; places.len()];
        Self { places, values, root, found, added: Vec::new() }
    }

    /// A value of the result.
    pub(super) fn found(&mut self, place: &str, origin: Option<usize>, value: &Value) {
        let Some(origin) = origin else {
            if depth(place) == 0 {
                self.added.push(place.to_owned());
            }
            return;
        };
        let is_same = self.values[origin] == *value;
        let slot = &mut self.found[origin];
        // Of a value that is there twice, the place outside of extensions counts.
        if slot.as_ref().is_none_or(|(there, _)| depth(there) > depth(place)) {
            *slot = Some((place.to_owned(), is_same));
        }
    }

    pub(super) fn report(self, notes: &[(usize, Note)]) -> Report {
        let reason = |origin: usize| notes.iter().find(|(it, _)| *it == origin).map(|(_, note)| *note);
        let mut passages = Vec::with_capacity(self.places.len());
        for (origin, (from, found)) in self.places.into_iter().zip(self.found).enumerate() {
            let (to, fate) = match found {
                Some((to, is_same)) => {
                    let fate = fate(&from, &to, is_same, &self.root);
                    (Some(to), fate)
                }
                None => match reason(origin) {
                    Some(Note::Implied) => (None, Fate::Mapped),
                    Some(Note::Dropped(reason)) => (None, Fate::Dropped(reason)),
                    None => (None, Fate::Dropped(UNACCOUNTED)),
                },
            };
            passages.push(Passage { from, to, fate });
        }
        Report { passages, added: self.added, root: self.root }
    }
}

fn fate(from: &str, to: &str, is_same: bool, root: &(String, String)) -> Fate {
    if depth(to) > depth(from) {
        return Fate::Kept;
    }
    let same_place = from == to
        || from
            .strip_prefix(root.0.as_str())
            .zip(to.strip_prefix(root.1.as_str()))
            .is_some_and(|(a, b)| a == b);
    if same_place && is_same { Fate::Carried } else { Fate::Mapped }
}

/// How many extensions a place is inside of.
fn depth(place: &str) -> usize {
    place.matches("xtension[").count()
}
