//! `[consent]`.

use std::time::Duration;

use super::needed;
use crate::config::findings::Findings;
use crate::config::problem::Code;
use crate::config::raw::consent as raw;
use crate::config::settings::Consent;
use crate::model::policy::{Confidentiality, DefaultDecision, DefaultPolicy};

/// What only a Consent that names it releases, in every default but one: substance use disorders
/// (42 CFR Part 2) and psychotherapy notes (45 CFR 164.508(a)(2)).
const NAMED_ONLY: [&str; 5] = ["SUD", "ETH", "ETHUD", "OPIOIDUD", "PSYTHPN"];

/// Checks the section.
pub(super) fn check(findings: &mut Findings, raw: raw::Consent) -> Option<Consent> {
    let default = policy(findings, raw.standing)?;
    Some(Consent {
        max_staleness: Duration::from_secs(raw.max_staleness_s),
        mark_redacted: raw.mark_redacted,
        default,
    })
}

fn policy(findings: &mut Findings, raw: raw::ConsentDefault) -> Option<DefaultPolicy> {
    if let Some(preset) = raw.preset {
        check_alone(findings);
        return Some(of_preset(preset));
    }
    if findings.writes("consent.default.preset") {
        return None; // it was reported
    }
    let help = "set consent.default.preset or consent.default.decision";
    let decision = needed(findings, "consent.default.decision", raw.decision, help)?;
    Some(DefaultPolicy {
        decision: decision.into(),
        purposes: raw.purposes,
        max_confidentiality: raw.max_confidentiality.map_or(Confidentiality::Normal, Confidentiality::from),
        explicit_consent_sensitivity: raw.explicit_consent_sensitivity.unwrap_or_else(named_only),
    })
}

/// A preset is a whole: a key beside it would look as if it changed something.
fn check_alone(findings: &mut Findings) {
    for name in findings.names_in("consent.default").iter().filter(|name| *name != "preset") {
        let key = format!("consent.default.{name}");
        let message = format!("`{key}` has no effect beside `preset`");
        findings.report(
            Code::Conflict,
            key.as_str(),
            message,
            "remove it, or remove `preset` and set `decision`",
        );
    }
}

fn of_preset(preset: raw::Preset) -> DefaultPolicy {
    let (decision, purposes) = match preset {
        raw::Preset::OptInHold => (DefaultDecision::Hold, None),
        raw::Preset::UsHipaaTreatment => (DefaultDecision::Permit, Some(vec!["TREAT".to_owned()])),
        raw::Preset::DenyAll => (DefaultDecision::Deny, None),
        raw::Preset::PermitAllAuthorised => {
            return DefaultPolicy {
                decision: DefaultDecision::Permit,
                purposes: None,
                max_confidentiality: Confidentiality::Restricted,
                explicit_consent_sensitivity: Vec::new(),
            };
        }
    };
    DefaultPolicy {
        decision,
        purposes,
        max_confidentiality: Confidentiality::Normal,
        explicit_consent_sensitivity: named_only(),
    }
}

fn named_only() -> Vec<String> {
    NAMED_ONLY.map(str::to_owned).to_vec()
}

impl From<raw::Decision> for DefaultDecision {
    fn from(raw: raw::Decision) -> Self {
        match raw {
            raw::Decision::Permit => Self::Permit,
            raw::Decision::Hold => Self::Hold,
            raw::Decision::Deny => Self::Deny,
        }
    }
}

impl From<raw::Level> for Confidentiality {
    fn from(raw: raw::Level) -> Self {
        match raw {
            raw::Level::U => Self::Unrestricted,
            raw::Level::L => Self::Low,
            raw::Level::M => Self::Moderate,
            raw::Level::N => Self::Normal,
            raw::Level::R => Self::Restricted,
            raw::Level::V => Self::VeryRestricted,
        }
    }
}
