//! What would release a disclosure that is kept, denied or reduced (consent (e) 1).
//!
//! Found by trying: one thing is changed, the decision is made again, and what releases is kept. So a remedy is
//! never a guess about the rules; it is an answer of the same engine.

pub mod candidates;
pub mod change;
pub mod permission;

use serde::{Deserialize, Serialize};

use super::decide;
use super::disclosure::Disclosure;
use super::trace::{Name, Trace};
use change::{Change, Step, World};

/// How many single changes of each sort are tried.
const MOST_OF_A_SORT: usize = 20;

/// Changes that release it if all of them are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// The changes; one, unless no single one helps.
    pub changes: Vec<Change>,
    /// What is decided then: `permit` or `redact`.
    pub outcome: Name,
}

/// The smallest changes that would release it, smallest first; for what goes in part, those by which the rest
/// goes too. Several at once only where no single one helps. Empty: it goes, or nothing here helps.
pub fn find(disclosure: &Disclosure<'_>, trace: &Trace) -> Vec<Remedy> {
    if trace.outcome == "permit" {
        return Vec::new();
    }
    let mut trials = Trials::new(disclosure, trace);
    let repairs = candidates::repairs(disclosure);
    let rules = candidates::criteria(disclosure, trace).into_iter().take(MOST_OF_A_SORT);
    let rules = rules.chain(candidates::denying_rules(trace).into_iter().take(MOST_OF_A_SORT));
    let consents = candidates::speaking(trace).into_iter().take(MOST_OF_A_SORT).map(Step::Inactivate);
    for step in repairs.iter().cloned().chain(rules).chain(consents) {
        trials.attempt(&[step]);
    }
    let permissions = permission::steps(disclosure);
    // Naming more than a general permission is worth telling only where that one does not release it all.
    let _ = permissions.iter().any(|it| trials.attempt(std::slice::from_ref(it)));
    if trials.found.is_empty() {
        trials.attempt_together(repairs, &candidates::denying(trace), &permissions);
    }
    trials.found
}

/// The decisions that are made again.
struct Trials<'a> {
    disclosure: &'a Disclosure<'a>,
    world: World,
    /// Only the whole is more than it has.
    goes_in_part: bool,
    found: Vec<Remedy>,
}

impl<'a> Trials<'a> {
    fn new(disclosure: &'a Disclosure<'a>, trace: &Trace) -> Self {
        Self {
            disclosure,
            world: World::of(disclosure),
            goes_in_part: trace.outcome == "redact",
            found: Vec::new(),
        }
    }

    /// Makes changes, decides, and undoes them. Says whether everything would go.
    fn attempt(&mut self, steps: &[Step]) -> bool {
        for step in steps {
            step.apply(&mut self.world);
        }
        let outcome = decide(&self.world.seen_by(self.disclosure)).note().outcome;
        self.world.undo(self.disclosure);
        if outcome == "permit" || (outcome == "redact" && !self.goes_in_part) {
            let changes = steps.iter().map(|it| it.told(self.disclosure)).collect();
            self.found.push(Remedy { changes, outcome: outcome.into() });
        }
        outcome == "permit"
    }

    /// All repairs, all Consents that may deny made inactive, a new Consent: the first of their combinations
    /// that helps, the smaller first.
    fn attempt_together(&mut self, repairs: Vec<Step>, denying: &[usize], permissions: &[Step]) {
        let inactive: Vec<Step> = denying.iter().copied().map(Step::Inactivate).collect();
        let given = permissions.iter().map(|it| vec![it.clone()]);
        for base in [inactive.clone(), repairs.clone(), [repairs, inactive].concat()] {
            for more in std::iter::once(Vec::new()).chain(given.clone()) {
                self.attempt(&[base.clone(), more].concat());
                if !self.found.is_empty() {
                    return;
                }
            }
        }
    }
}
