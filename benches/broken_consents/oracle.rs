//! What must hold of every run.

use std::collections::BTreeSet;

use referral_gateway::consent::disclosure::Disclosure;
use referral_gateway::consent::explain::explain;
use referral_gateway::consent::lint::{Home, lint, only_holds};
use referral_gateway::consent::matching::situation::Situation;
use referral_gateway::consent::standing::{Standing, standing};
use referral_gateway::consent::{decide, examine};

use super::Run;

/// What was decided.
struct Decided {
    outcome: String,
    rule: String,
    released: BTreeSet<String>,
}

impl Decided {
    fn of(disclosure: &Disclosure<'_>) -> Self {
        let (decision, trace) = examine(disclosure);
        assert_eq!(decide(disclosure).note(), decision.note(), "with and without a trace");
        let told = explain(&trace);
        let outcome = decision.note().outcome.to_owned();
        let goes = matches!(outcome.as_str(), "permit" | "redact");
        let released = trace.nodes.iter().filter(|it| goes && it.outcome == "released");
        let released = released.map(|it| it.node.clone()).collect();
        let rule = if told.is_empty() { String::new() } else { decision.note().rule.to_owned() };
        Self { outcome, rule, released }
    }

    fn goes(&self) -> bool {
        matches!(self.outcome.as_str(), "permit" | "redact")
    }
}

/// What is wrong with a run, or how the broken Consent stands.
pub(crate) fn check(run: &Run) -> Result<Standing, String> {
    let mut consents = run.consents.clone();
    let before = Decided::of(&run.scene.with(&consents));
    consents.push(run.broken.clone());
    let disclosure = run.scene.with(&consents);
    let after = Decided::of(&disclosure);
    let standing = standing(&run.broken, &Situation::of(&disclosure));
    lint(&run.broken, Home::Bundle, run.scene.zone());
    if after.rule.is_empty() {
        return Err("there is no reason".to_owned());
    }
    match standing {
        Standing::DeniesOnly(_) if !after.released.is_subset(&before.released) => {
            return Err("what may only deny releases more".to_owned());
        }
        Standing::Ignored(_) if (&after.outcome, &after.released) != (&before.outcome, &before.released) => {
            return Err(format!("what is ignored changes {} to {}", before.outcome, after.outcome));
        }
        Standing::Doubtful(reason) => doubtful(run, reason, &before, &after)?,
        Standing::Counts | Standing::DeniesOnly(_) | Standing::Ignored(_) => {}
    }
    Ok(standing)
}

/// Doubt holds, with its reason, and whoever can mend it is told.
fn doubtful(run: &Run, reason: &str, before: &Decided, after: &Decided) -> Result<(), String> {
    if after.goes() {
        return Err(format!("released beside a doubtful one: {reason}"));
    }
    if before.outcome == "permit" && (after.outcome.as_str(), after.rule.as_str()) != ("hold", reason) {
        return Err(format!("{} {} instead of hold {reason}", after.outcome, after.rule));
    }
    // Whose it is can be known to the clinic only.
    if reason != "consent-patient-unclear"
        && only_holds(&run.broken, Home::Server, run.scene.zone()).is_empty()
    {
        return Err(format!("nobody is told of {reason}"));
    }
    Ok(())
}
