//! What the clinic decided for the case that no Consent speaks.

use super::disclosure::Disclosure;
use super::labels;
use crate::model::policy::DefaultDecision;

/// The default's judgement, with the rule that gave it where it is not a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Send.
    Permit,
    /// Keep.
    Hold(&'static str),
    /// Do not send.
    Deny(&'static str),
}

/// Applies the clinic's default (consent S4.4).
pub fn judge(disclosure: &Disclosure<'_>) -> Judgement {
    let policy = disclosure.default;
    match policy.decision {
        DefaultDecision::Hold => return Judgement::Hold("no-consent"),
        DefaultDecision::Deny => return Judgement::Deny("clinic-default"),
        DefaultDecision::Permit => {}
    }
    if policy.purposes.as_ref().is_some_and(|list| !list.iter().any(|it| it == disclosure.purpose)) {
        return Judgement::Deny("purpose-not-covered");
    }
    let labels = labels::highest(disclosure.resources);
    let must_be_named =
        labels.sensitivities.iter().any(|it| policy.explicit_consent_sensitivity.contains(it));
    if must_be_named {
        Judgement::Hold("sensitivity-not-named")
    } else if labels.has_unknown || labels.confidentiality > policy.max_confidentiality {
        Judgement::Hold("too-confidential")
    } else {
        Judgement::Permit
    }
}
