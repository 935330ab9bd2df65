//! Messages about a referral that we have (FHIR R4, messaging).

use serde_json::Value;

use super::super::open;
use super::super::validate::header_without;
use super::super::{Inbound, InboundError};
use super::{Draft, Incoming};
use crate::fhir::{bundle, resource};
use crate::model::partner::Partner;
use crate::model::reply::ReplyKind;
use crate::translation::dialects::{CancelWay, DialectRules, MessageRules};
use crate::translation::reply::{TYPES, TaskChange};

impl Inbound {
    /// A message as a reply; none where it brings a new referral, or repeats the message that did.
    pub async fn draft_message(
        &self,
        partner: &Partner,
        incoming: Incoming,
    ) -> Result<Option<Draft>, InboundError> {
        let rules = &self.house.dialects.of(partner.dialect)?.rules;
        let opened = open::again(incoming.body.reveal(), partner.fhir_version)?;
        let message = opened.message();
        let Some(of_guide) = rules.message.as_ref().filter(|it| comes_later(message, it, rules)) else {
            return Ok(None);
        };
        let Some(referral) = self.referral_of_message(&partner.id, message).await? else {
            let event = bundle::header(message).map(|it| &it["eventCoding"]["code"]);
            let is_new_too = event.is_some_and(|it| *it == of_guide.new_event.as_str());
            return if is_new_too { Ok(None) } else { Err(InboundError::NotAbout) };
        };
        let missing = header_without(message, &of_guide.header_needs);
        if !missing.is_empty() {
            return Err(InboundError::Invalid(opened.as_sent(missing)));
        }
        let incoming = Incoming { kind: ReplyKind::Message, ..incoming };
        let draft = self.draft(partner, incoming, Some(referral)).await?;
        let brings = bundle::resources(draft.opened.message()).any(is_addition);
        let task = task(draft.opened.message()).is_some_and(|it| TaskChange::of(it, rules).brings());
        if stop(draft.opened.message(), rules).is_none() && !brings && !task {
            return Err(InboundError::NothingToDo);
        }
        Ok(Some(draft))
    }
}

/// Whether a message is about a referral that was sent before. Where a guide has one event for both, what stops it
/// does, and what says so in its reason.
fn comes_later(message: &Value, of_guide: &MessageRules, rules: &DialectRules) -> bool {
    let Some(header) = bundle::header(message) else {
        return false;
    };
    let is = |event: &str| header["eventCoding"]["code"] == event;
    if is(&of_guide.update_event) && of_guide.update_event != of_guide.new_event {
        return true;
    }
    let reason = header["reason"]["coding"].as_array().into_iter().flatten();
    let mut reason =
        reason.filter(|it| of_guide.reason_system.as_deref().is_some_and(|system| it["system"] == system));
    is(&of_guide.update_event)
        && (stop(message, rules).is_some()
            || reason.any(|it| matches!(it["code"].as_str(), Some("update" | "delete"))))
}

/// How a message stops its referral; none: it does not.
pub(super) fn stop(message: &Value, rules: &DialectRules) -> Option<CancelWay> {
    let revoked = bundle::resources(message)
        .filter(|it| resource::resource_type(it) == "ServiceRequest")
        .any(|it| matches!(it["status"].as_str(), Some("revoked" | "entered-in-error")));
    let asked = task(message).is_some_and(|it| TaskChange::of(it, rules).stops());
    (revoked || asked).then_some(CancelWay::Message)
}

/// The Task of a message.
pub(super) fn task(message: &Value) -> Option<&Value> {
    bundle::resources(message).find(|it| resource::resource_type(it) == "Task")
}

/// Whether a resource is something that a reply may bring.
pub(super) fn is_addition(resource: &Value) -> bool {
    TYPES.contains(&resource::resource_type(resource))
}

/// The ids by which a message is known again: that of the Bundle with that of its header, since a guide may use one
/// of them for several messages (BaRS; FHIR R4, messaging, reliable messaging).
pub(super) fn ids(message: &Value) -> Option<String> {
    let bundle_id = message["id"].as_str()?;
    let header = bundle::header(message).and_then(|it| it["id"].as_str()).unwrap_or_default();
    Some(format!("{bundle_id}|{header}"))
}
