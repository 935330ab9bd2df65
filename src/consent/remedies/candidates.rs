//! Which changes may help: the trace tells what stands in the way.

use std::collections::HashSet;

use super::change::{Place, Step};
use crate::consent::answer::{Answer, Kind};
use crate::consent::disclosure::{Disclosure, Labelling, Source};
use crate::consent::rules::{DATA, REQUEST};
use crate::consent::trace::{ConsentTrace, Counts, RuleTrace, Trace};
use crate::consent::truth::Truth;

/// What is out of order and would only have to work.
pub fn repairs(disclosure: &Disclosure<'_>) -> Vec<Step> {
    let read = (disclosure.source != Source::READ_NOW).then_some(Step::Read);
    let label = (disclosure.labelling == Labelling::Down).then_some(Step::Label);
    read.into_iter().chain(label).collect()
}

/// The criteria by which a permit does not permit, and those by which a root without a type limits what its
/// policy permits.
pub fn criteria(disclosure: &Disclosure<'_>, trace: &Trace) -> Vec<Step> {
    let mut found: Vec<(Place, String)> = Vec::new();
    let permits = rules(trace).filter(|(_, rule)| rule.kind == Kind::Permit);
    for (consent, rule) in permits {
        let unmet = rule.criteria.iter().filter(|it| it.matched != Truth::True);
        found.extend(unmet.map(|it| (Place::read(consent, &it.stated_by), it.element.to_string())));
    }
    for number in speaking(trace) {
        let root = disclosure.consents[number].get("provision");
        let untyped = root.filter(|it| Kind::of(it).is_none()).and_then(|it| it.as_object());
        let stated = REQUEST.iter().chain(&DATA).map(|it| it.name);
        let stated = stated.filter(|name| untyped.is_some_and(|it| it.contains_key(*name)));
        found.extend(stated.map(|it| (Place { consent: number, numbers: Vec::new() }, it.to_owned())));
    }
    without_repetition(found).into_iter().map(|(place, element)| Step::Drop(place, element)).collect()
}

/// The rules below a root that deny, or may. The root itself is the Consent.
pub fn denying_rules(trace: &Trace) -> Vec<Step> {
    let denying = rules(trace).filter(|(_, rule)| matches!(rule.own, Answer::Deny | Answer::MayDeny));
    let places = denying.map(|(consent, rule)| Place::read(consent, &rule.path));
    let nested = places.filter(|it| !it.numbers.is_empty()).collect();
    without_repetition(nested).into_iter().map(Step::TakeOut).collect()
}

/// The Consents that say something about anything here.
pub fn speaking(trace: &Trace) -> Vec<usize> {
    that(trace, |it| it.counts != Counts::NotAtAll && it.answer != Answer::Silent)
}

/// The Consents that deny anything here, or may.
pub fn denying(trace: &Trace) -> Vec<usize> {
    that(trace, |it| matches!(it.answer, Answer::Deny | Answer::MayDeny))
}

fn that(trace: &Trace, wanted: impl Fn(&ConsentTrace) -> bool) -> Vec<usize> {
    let mut found: Vec<(usize, &str)> = consents(trace)
        .filter(|(_, it)| wanted(it))
        .map(|(number, it)| (number, it.consent.as_str()))
        .collect();
    found.sort_unstable();
    let mut seen = HashSet::new();
    found.retain(|(_, consent)| seen.insert(*consent));
    found.into_iter().map(|(number, _)| number).collect()
}

/// Every Consent of every node; a node's traces stand in the order of the Consents.
fn consents(trace: &Trace) -> impl Iterator<Item = (usize, &ConsentTrace)> {
    trace.nodes.iter().flat_map(|it| it.consents.iter().enumerate())
}

fn rules(trace: &Trace) -> impl Iterator<Item = (usize, &RuleTrace)> {
    consents(trace).flat_map(|(number, it)| it.rules.iter().map(move |rule| (number, rule)))
}

fn without_repetition<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for it in all {
        if !kept.contains(&it) {
            kept.push(it);
        }
    }
    kept
}
