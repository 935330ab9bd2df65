//! A group of a map, read in one direction.

use std::collections::HashMap;

use super::equivalence::Equivalence;
use super::map::{CodeMap, Group, Unmapped};

/// From one system to another.
#[derive(Clone, Debug)]
pub(super) struct Direction {
    pub(super) map: String,
    pub(super) group: usize,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) unmapped: Option<Unmapped>,
    elements: Vec<String>,
    codes: HashMap<String, Vec<Mapped>>,
}

/// A code of the target system, and why it may stand for the source's.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) code: String,
    pub(super) display: Option<String>,
    pub(super) why: Why,
}

/// Why a coding was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The map says so.
    Forward(Equivalence),
    /// The map says so the other way round.
    Reversed(Equivalence),
    /// The map does not list the code, and says what then: its `unmapped.mode`.
    Unmapped(&'static str),
}

impl Direction {
    /// Every group of a map as it stands.
    pub(super) fn forward(map: &CodeMap) -> impl Iterator<Item = Self> {
        map.groups.iter().enumerate().map(|(number, group)| {
            let mut it = Self::empty(map, number, (&group.source, &group.target));
            it.unmapped.clone_from(&group.unmapped);
            for row in &group.rows {
                let usable = row.targets.iter().filter(|it| it.equivalence.holds_forward());
                // A code that is listed without a usable target is known to have none.
                it.codes.entry(row.code.clone()).or_default().extend(usable.map(|target| Mapped {
                    code: target.code.clone(),
                    display: target.display.clone(),
                    why: Why::Forward(target.equivalence),
                }));
            }
            it
        })
    }

    /// Every group of a map the other way round.
    pub(super) fn reversed(map: &CodeMap) -> impl Iterator<Item = Self> {
        map.groups.iter().enumerate().map(|(number, group)| {
            let mut it = Self::empty(map, number, (&group.target, &group.source));
            for (code, mapped) in reversed_rows(group) {
                it.codes.entry(code).or_default().push(mapped);
            }
            it
        })
    }

    fn empty(map: &CodeMap, group: usize, (source, target): (&str, &str)) -> Self {
        Self {
            map: map.url.clone(),
            group,
            source: source.to_owned(),
            target: target.to_owned(),
            unmapped: None,
            elements: map.elements.clone(),
            codes: HashMap::new(),
        }
    }

    /// What a code becomes; none where it is not listed.
    pub(super) fn get(&self, code: &str) -> Option<&[Mapped]> {
        self.codes.get(code).map(Vec::as_slice)
    }

    /// Whether the map is meant for an element, such as `Condition.code`.
    pub(super) fn is_for(&self, element: &str) -> bool {
        self.elements.is_empty() || self.elements.iter().any(|it| it == element)
    }
}

fn reversed_rows(group: &Group) -> impl Iterator<Item = (String, Mapped)> {
    group.rows.iter().flat_map(|row| {
        let usable = row.targets.iter().filter(|it| it.equivalence.holds_in_reverse());
        usable.map(|target| {
            let why = Why::Reversed(target.equivalence);
            (target.code.clone(), Mapped { code: row.code.clone(), display: row.display.clone(), why })
        })
    })
}
