//! What is wrong with a Consent, told to whom can mend it (consent (e) 8). The engine is right to hold what
//! it does not understand; but whoever wrote the Consent should hear of it when it comes in, not when the
//! first update is held.
//!
//! A finding holds names of FHIR's elements and our own sentences, and no value of the resource. It judges
//! the Consent as if it were active: a draft is looked at before it is signed.

pub mod counting;
pub mod known;
pub mod policy;
pub mod rules;
pub mod structure;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::fhir::resource;

/// Nobody mends more at once, and a Consent made of mistakes must not fill the log.
const MOST: usize = 100;

/// One thing to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where: `Consent.provision.provision[0].actor[1].role`.
    pub element: String,
    /// Which rule found it. The name stays the same from version to version.
    pub rule: &'static str,
    /// What comes of it.
    pub effect: Effect,
    /// What to change, in one sentence.
    pub fix: Cow<'static, str>,
}

/// What a mistake does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// While it stands, the Consent can only hold what it may speak of.
    OnlyHolds,
    /// This part does not do what its writer probably meant.
    Weaker,
}

impl Finding {
    fn new(
        element: &impl ToString,
        rule: &'static str,
        effect: Effect,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { element: element.to_string(), rule, effect, fix: fix.into() }
    }

    fn only_holds(element: &impl ToString, rule: &'static str, fix: impl Into<Cow<'static, str>>) -> Self {
        Self::new(element, rule, Effect::OnlyHolds, fix)
    }

    fn weaker(element: &impl ToString, rule: &'static str, fix: impl Into<Cow<'static, str>>) -> Self {
        Self::new(element, rule, Effect::Weaker, fix)
    }
}

/// Where a Consent is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// On a server, or alone in a file.
    Server,
    /// In a Bundle: there `urn:` names another entry, for which a server will put an id.
    Bundle,
}

/// Everything that is wrong with a Consent; dates are read in the clinic's zone. What makes it hold comes
/// before what makes it weaker.
pub fn lint(consent: &Value, home: Home, zone: &TimeZone) -> Vec<Finding> {
    if resource::resource_type(consent) != "Consent" {
        let fix = "Put a Consent here: what is no Consent may stand for one that could not be shown.";
        return vec![Finding::only_holds(&"Consent", "not-a-consent", fix)];
    }
    let mut findings = structure::findings(consent, zone);
    counting::look(consent, home, &mut findings);
    policy::look(consent, &mut findings);
    rules::look(&consent["provision"], &mut findings);
    findings.sort_by_key(|it| it.effect == Effect::Weaker);
    findings.truncate(MOST);
    findings
}

/// Only what makes it hold.
pub fn only_holds(consent: &Value, home: Home, zone: &TimeZone) -> Vec<Finding> {
    let mut findings = lint(consent, home, zone);
    findings.retain(|it| it.effect == Effect::OnlyHolds);
    findings
}
