//! Body, keys, referral and the work to forward it: one transaction. Only after it may we say yes.

use serde_json::Value;

use super::open::Opened;
use super::{Inbound, InboundError, Intake};
use crate::fhir::{bundle, coding, resource};
use crate::model::crash_point::crash_point;
use crate::model::envelope::Envelope;
use crate::model::ids::ReferralId;
use crate::model::referral::{Acceptance, KeyScope, NewReferral, Referral, SubmissionKey};
use crate::model::sensitive::Sensitive;

/// Records a referral, or finds that it is known. True: it was known.
pub async fn referral(
    inbound: &Inbound,
    envelope: &Envelope,
    opened: &Opened,
    intake: Intake,
) -> Result<(Referral, bool), InboundError> {
    // A repeat is one of what was sent, whatever a later version of this program makes of it.
    let canonical = resource::canonical(&opened.sent);
    let message = opened.message();
    let new = NewReferral {
        id: ReferralId::new(envelope.received),
        partner: envelope.partner.clone(),
        keys: keys(envelope, message, &canonical),
        found_by: found_by(message),
        body: envelope.body.clone(),
        canonical: Sensitive::new(canonical),
        received: envelope.received,
    };
    crash_point("before-commit");
    let acceptance = match intake {
        Intake::Open => inbound.store.accept(new).await?,
        Intake::RepeatsOnly => inbound.store.known(new).await?.ok_or(InboundError::Shut)?,
    };
    crash_point("after-commit");
    match acceptance {
        Acceptance::Recorded(id) => {
            Ok((Referral::new(id, envelope.partner.clone(), envelope.received), false))
        }
        Acceptance::Repeated(id) => Ok((inbound.store.referral(id).await?.ok_or(InboundError::Lost)?, true)),
        Acceptance::Conflict => Err(InboundError::Conflict),
    }
}

/// By what this submission is known again (reference: delivery B4). The content itself is the key only
/// where the sender named nothing; a requisition is no key, since it is shared by several orders.
fn keys(envelope: &Envelope, message: &Value, canonical: &[u8]) -> Vec<SubmissionKey> {
    let mut keys = Vec::new();
    let mut add = |scope, value: String| keys.push(SubmissionKey { scope, value: Sensitive::new(value) });

    if let Some(key) = &envelope.idempotency_key {
        add(KeyScope::IdempotencyKey, key.clone());
    }
    if let Some(condition) = envelope.if_none_exist.as_deref().or_else(|| entry_condition(message)) {
        add(KeyScope::IfNoneExist, condition.to_owned());
    }
    for (system, value) in service_request(message).into_iter().flat_map(coding::identifiers) {
        add(KeyScope::Identifier, format!("{system}|{value}"));
    }
    if let Some(value) = message["identifier"]["value"].as_str() {
        let system = message["identifier"]["system"].as_str().unwrap_or_default();
        add(KeyScope::BundleIdentifier, format!("{system}|{value}"));
    }
    if keys.is_empty() {
        add_content(&mut keys, canonical);
    }
    keys
}

/// FHIR lets a search name an identifier with its system or without (FHIR R4, search, token).
fn found_by(message: &Value) -> Vec<Sensitive<String>> {
    let task = bundle::resources(message).find(|it| resource::resource_type(it) == "Task");
    let named = service_request(message).into_iter().chain(task).flat_map(coding::identifiers);
    named
        .flat_map(|(system, value)| [format!("{system}|{value}"), value.to_owned()])
        .map(Sensitive::new)
        .collect()
}

fn add_content(keys: &mut Vec<SubmissionKey>, canonical: &[u8]) {
    let value = String::from_utf8_lossy(canonical).into_owned();
    keys.push(SubmissionKey { scope: KeyScope::Content, value: Sensitive::new(value) });
}

fn service_request(message: &Value) -> Option<&Value> {
    let is_order = |it: &&Value| resource::resource_type(it) == "ServiceRequest";
    Some(message).filter(is_order).or_else(|| bundle::resources(message).find(is_order))
}

fn entry_condition(message: &Value) -> Option<&str> {
    let entry =
        bundle::entries(message).find(|it| resource::resource_type(&it["resource"]) == "ServiceRequest")?;
    entry["request"]["ifNoneExist"].as_str()
}
