//! One rule on the way down a tree of provisions, with the rules above it (consent S5).
//!
//! Whether a criterion matches depends on whether the asking rule permits or denies, and on nothing else of it.
//! So each level keeps what it found, once for each kind, and ten levels cost ten times one.

use std::cell::Cell;

use serde_json::Value;

use super::answer::{Answer, Kind};
use super::matching::situation::name_of;
use super::question::Question;
use super::rules::{Criterion, DATA, REQUEST, words};
use super::trace::{CriterionTrace, RuleTrace};
use super::truth::Truth;

/// A rule with those above it.
#[derive(Debug)]
pub struct Level<'l, 'a> {
    /// The rules below it.
    pub children: &'a [Value],
    /// What it states about the request, in the order of [`REQUEST`].
    request: [Option<&'a Value>; REQUEST.len()],
    /// What it states about the data, in the order of [`DATA`].
    data: [Option<&'a Value>; DATA.len()],
    number: usize,
    above: Option<&'l Level<'l, 'a>>,
    request_found: [Cell<Option<Truth>>; 2],
    data_found: [[Cell<Option<Truth>>; DATA.len()]; 2],
}

impl<'a> Level<'_, 'a> {
    /// The root.
    pub fn root(rule: &'a Value) -> Self {
        let mut level = Self {
            children: &[],
            request: [None; REQUEST.len()],
            data: [None; DATA.len()],
            number: 0,
            above: None,
            request_found: <_>::default(),
            data_found: <_>::default(),
        };
        level.read(rule);
        level
    }

    /// A rule below this one, the `number`th from 0.
    pub fn below<'m>(&'m self, rule: &'a Value, number: usize) -> Level<'m, 'a> {
        Level { number, above: Some(self), ..Level::root(rule) }
    }

    /// One pass over the rule's elements: to look for each by its name would cost several times as much.
    fn read(&mut self, rule: &'a Value) {
        for (name, value) in rule.as_object().into_iter().flatten() {
            if let Some(which) = REQUEST.iter().position(|it| it.name == name) {
                self.request[which] = Some(value);
            } else if let Some(which) = DATA.iter().position(|it| it.name == name) {
                self.data[which] = Some(value);
            } else if name == "provision" {
                self.children = value.as_array().map_or(&[], Vec::as_slice);
            }
        }
    }

    /// The rule's own criteria about the request and those of every rule above it, for a rule of this kind.
    pub fn request(&self, question: &Question<'_>, kind: Kind) -> Truth {
        remembered(&self.request_found[kind as usize], || {
            let above = self.above.map_or(Truth::True, |it| it.request(question, kind));
            let stated = self.stated_request();
            above.and(Truth::all(stated.map(|(it, value)| (it.matches)(question, value, kind))))
        })
    }

    /// The criteria about the data: each as the nearest rule states it.
    pub fn data(&self, question: &Question<'_>, kind: Kind) -> Truth {
        Truth::all((0..DATA.len()).map(|which| self.criterion(which, question, kind)))
    }

    fn criterion(&self, which: usize, question: &Question<'_>, kind: Kind) -> Truth {
        remembered(&self.data_found[kind as usize][which], || match (self.data[which], self.above) {
            (Some(value), _) => (DATA[which].matches)(question, value, kind),
            (None, Some(above)) => above.criterion(which, question, kind),
            (None, None) => Truth::True,
        })
    }

    fn stated_request(&self) -> impl Iterator<Item = (&'static Criterion, &'a Value)> {
        REQUEST.iter().zip(self.request).filter_map(|(criterion, value)| Some((criterion, value?)))
    }

    /// An element about the data, as the nearest rule states it.
    pub fn nearest(&self, element: &str) -> Option<&'a Value> {
        let which = DATA.iter().position(|it| it.name == element)?;
        self.data[which].or_else(|| self.above?.nearest(element))
    }

    /// What this rule answered, with every criterion that holds for it.
    pub fn trace(&self, question: &Question<'_>, (kind, own, answer): (Kind, Answer, Answer)) -> RuleTrace {
        let mut criteria = Vec::new();
        self.trace_request(question, kind, &mut criteria);
        for (which, criterion) in DATA.iter().enumerate() {
            if let Some(value) = self.nearest(criterion.name) {
                criteria.push(CriterionTrace {
                    name: criterion.name.into(),
                    value: words::in_words(criterion.name, value),
                    truth: self.criterion(which, question, kind),
                });
            }
        }
        let path = format!("{}#{}", name_of(question.consent), self.path());
        RuleTrace { path, kind, own, answer, criteria }
    }

    fn trace_request(&self, question: &Question<'_>, kind: Kind, criteria: &mut Vec<CriterionTrace>) {
        if let Some(above) = self.above {
            above.trace_request(question, kind, criteria);
        }
        for (criterion, value) in self.stated_request() {
            criteria.push(CriterionTrace {
                name: criterion.name.into(),
                value: words::in_words(criterion.name, value),
                truth: (criterion.matches)(question, value, kind),
            });
        }
    }

    fn path(&self) -> String {
        match self.above {
            None => String::new(),
            Some(above) if above.above.is_none() => self.number.to_string(),
            Some(above) => format!("{}.{}", above.path(), self.number),
        }
    }
}

fn remembered(cell: &Cell<Option<Truth>>, find: impl FnOnce() -> Truth) -> Truth {
    let found = cell.get().unwrap_or_else(find);
    cell.set(Some(found));
    found
}
