//! May this partner see this, now? Pure: the same question has the same answer.
//!
//! Silence and doubt never release: only a Consent that certainly permits, or the clinic's default where no
//! Consent speaks, makes a [`Permit`]. What this engine understands of a Consent is its status, patient,
//! period, policy rule and the type of its root provision; a Consent that says more holds the update.
//! Source of every rule: `reference/consent.md`, part (a).

pub mod answer;
pub mod default;
pub mod disclosure;
pub mod labels;
pub mod patient;
pub mod period;
pub mod permit;
pub mod subject;
#[cfg(test)]
mod tests;

use serde_json::Value;

use answer::{Answer, answer};
use disclosure::{Disclosure, Source};
use permit::{Decision, Permit, Refusal};

use crate::fhir::resource;
use crate::model::update::DecisionNote;

/// Decides one disclosure (consent S4): a denial wins, then doubt, then a permission, then the default.
pub fn decide(disclosure: &Disclosure<'_>) -> Decision {
    let answers: Vec<Answer> = disclosure.consents.iter().map(|it| answer(it, disclosure)).collect();
    let first = |wanted: fn(&Answer) -> Option<&'static str>| answers.iter().find_map(wanted);

    if let Some(rule) = first(Answer::denial) {
        return deny(rule, disclosure);
    }
    if disclosure.source == Source::Unavailable {
        return hold("consent-source-unavailable", disclosure);
    }
    if let Some(rule) = subject::doubt(disclosure) {
        return hold(rule, disclosure);
    }
    if let Some(rule) = first(Answer::doubt) {
        return hold(rule, disclosure);
    }
    match first(Answer::permission) {
        Some(rule) if labels::highest(disclosure.resources).is_ordinary() => permit(rule, disclosure),
        Some(_) => hold("sensitivity-not-named", disclosure),
        None => by_default(disclosure),
    }
}

fn by_default(disclosure: &Disclosure<'_>) -> Decision {
    match default::judge(disclosure) {
        default::Judgement::Permit => permit("clinic-default", disclosure),
        default::Judgement::Hold(rule) => hold(rule, disclosure),
        default::Judgement::Deny(rule) => deny(rule, disclosure),
    }
}

fn permit(rule: &'static str, disclosure: &Disclosure<'_>) -> Decision {
    Decision::Permit(Permit::new(
        disclosure.version.clone(),
        disclosure.recipient.clone(),
        note("permit", rule, disclosure),
    ))
}

fn hold(rule: &'static str, disclosure: &Disclosure<'_>) -> Decision {
    Decision::Hold(Refusal { note: note("hold", rule, disclosure) })
}

fn deny(rule: &'static str, disclosure: &Disclosure<'_>) -> Decision {
    Decision::Deny(Refusal { note: note("deny", rule, disclosure) })
}

fn note(outcome: &'static str, rule: &'static str, disclosure: &Disclosure<'_>) -> DecisionNote {
    DecisionNote { outcome, rule, consents: disclosure.consents.iter().map(version_of).collect() }
}

/// How decisions name a version of a Consent: `Consent/3/_history/2`.
pub fn version_of(consent: &Value) -> String {
    format!(
        "{}/{}/_history/{}",
        resource::resource_type(consent),
        resource::id(consent),
        resource::version(consent)
    )
}
