//! What the clinic decided for the case that no Consent speaks (consent S4.4).

use super::labels::sensitivity::is_among;
use super::matching::situation::Situation;
use super::node_outcome::NodeOutcome;
use super::payload::node::Node;
use super::purpose::{ACT_REASON, is_at_or_below};
use crate::model::policy::DefaultDecision;

/// Labels by which somebody asked that a default shall not release this (v3-ActCode, refrain policies).
const REFRAIN: [&str; 3] = ["NOAUTH", "NODSCLCD", "NODSCLCDS"];

/// Applies the clinic's default to one node.
pub fn judge(node: &Node<'_>, situation: &Situation<'_>) -> NodeOutcome {
    let policy = &situation.disclosure.clinic.default;
    match policy.decision {
        DefaultDecision::Hold => return NodeOutcome::NeedsConsent("no-consent"),
        DefaultDecision::Deny => return NodeOutcome::Denied("clinic-default"),
        DefaultDecision::Permit => {}
    }
    let purpose = situation.disclosure.purpose;
    let covers = |code: &String| {
        purpose.code == *code || (purpose.system == ACT_REASON && is_at_or_below(&purpose.code, code))
    };
    if policy.purposes.as_ref().is_some_and(|list| !list.iter().any(covers)) {
        return NodeOutcome::Denied("purpose-not-covered");
    }
    let labels = &node.labels;
    let refrain = labels.stated.iter().any(|it| REFRAIN.contains(&it.code.as_str()));
    let must_be_named =
        labels.sensitivities.iter().any(|it| is_among(it, &policy.explicit_consent_sensitivity));
    if refrain || must_be_named {
        NodeOutcome::NeedsConsent("sensitivity-not-named")
    } else if labels.confidentiality > policy.max_confidentiality {
        NodeOutcome::NeedsConsent("too-confidential")
    } else {
        NodeOutcome::Released("clinic-default")
    }
}
