//! Which Consents count, and for what (consent S2).

pub mod category;
pub mod eligibility;
pub mod fault;
pub mod place;
pub mod scope;
pub mod shape;
pub mod status;
pub mod understood;
pub mod walk;

use serde_json::Value;

use status::Status;

use super::matching::patient::{Whose, whose};
use super::matching::situation::Situation;
use super::period;
use super::truth::Truth;
use crate::fhir::resource;

/// Whether a Consent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not about this: it neither permits nor denies.
    Ignored(&'static str),
    /// It may be a denial, because it is not understood.
    Doubtful(&'static str),
    /// It may deny but not permit.
    DeniesOnly(&'static str),
    /// It counts.
    Counts,
}

/// Asks the rules in their order (consent S2, rules 1 to 8).
pub fn standing(consent: &Value, situation: &Situation<'_>) -> Standing {
    before_its_rules(consent, situation)
        .or_else(|| scope::standing(&consent["scope"], situation.disclosure.purpose))
        .or_else(|| category::ignored(consent))
        .or_else(|| in_force(consent, situation))
        .or_else(|| category::denies_only(consent, situation.disclosure.purpose))
        .or_else(|| eligibility::standing(consent, situation))
        .unwrap_or(Standing::Counts)
}

/// Whether the resource is a Consent of this patient that we understand.
fn before_its_rules(consent: &Value, situation: &Situation<'_>) -> Option<Standing> {
    let disclosure = situation.disclosure;
    if resource::resource_type(consent) != "Consent" {
        return Some(Standing::Doubtful("not-a-consent"));
    }
    match Status::of(consent) {
        Status::Active => {}
        Status::NotActive => return Some(Standing::Ignored("consent-not-active")),
        Status::Unknown => return Some(Standing::Doubtful("consent-status-unknown")),
    }
    match whose(&consent["patient"], disclosure.patient, &disclosure.clinic.base) {
        Whose::This => {}
        Whose::Another => return Some(Standing::Ignored("consent-of-another-patient")),
        Whose::Unclear => return Some(Standing::Doubtful("consent-patient-unclear")),
    }
    let understood = understood::is_understood(consent, &disclosure.clinic.time_zone);
    (!understood).then_some(Standing::Doubtful("consent-not-understood"))
}

/// A Consent out of its period is ignored entirely, its policy rule too (consent S2, rule 7).
fn in_force(consent: &Value, situation: &Situation<'_>) -> Option<Standing> {
    let disclosure = situation.disclosure;
    let period = consent["provision"].get("period");
    match period::contains(period, disclosure.now, &disclosure.clinic.time_zone) {
        Truth::True => None,
        Truth::False => Some(Standing::Ignored("consent-not-in-force")),
        Truth::Unknown => Some(Standing::Doubtful("consent-period-unclear")),
    }
}
