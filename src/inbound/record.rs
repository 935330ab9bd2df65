//! Body, keys, referral and the work to forward it: one transaction. Only after it may we say yes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::content::Content;
use super::open::{self, Opened};
use super::{Inbound, InboundError, Intake};
use crate::fhir::{bundle, coding, resource};
use crate::model::crash_point::crash_point;
use crate::model::envelope::{Door, Envelope};
use crate::model::fhir_version::FhirVersion;
use crate::model::ids::ReferralId;
use crate::model::referral::{Acceptance, KeyScope, NewReferral, Referral, SubmissionKey};
use crate::model::sensitive::Sensitive;
use crate::translation::dialects::{DialectRules, SubmissionKey as KnownBy};
use crate::translation::submission::Submission;

/// A referral of the ledger.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The referral.
    pub referral: Referral,
    /// It was known before.
    pub repeated: bool,
    /// The message by which it was recorded, where that was another time and the ledger still has it.
    pub message: Option<Value>,
}

/// Records a referral, or finds that it is known.
pub async fn referral(
    inbound: &Inbound,
    envelope: &Envelope,
    opened: &Opened,
    (rules, version): (&DialectRules, FhirVersion),
    intake: Intake,
) -> Result<Recorded, InboundError> {
    // A repeat is one of what was sent, whatever a later version of this program makes of it.
    let content = Content::of(&Submission::of(&opened.sent));
    let canonical = content.bytes();
    let message = opened.message();
    let new = NewReferral {
        id: ReferralId::new(envelope.received),
        partner: envelope.partner.clone(),
        keys: keys(envelope, message, (&canonical, &rules.duplicates.known_by)),
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
    let id = match acceptance {
        Acceptance::Recorded(id) => {
            let referral = Referral::new(id, envelope.partner.clone(), envelope.received);
            return Ok(Recorded { referral, repeated: false, message: None });
        }
        Acceptance::Repeated(id) => id,
        Acceptance::Conflict => return Err(InboundError::Conflict),
    };
    let referral = inbound.store.referral(id).await?.ok_or(InboundError::Lost)?;
    let earlier = message_of(inbound, id, version).await?;
    if earlier.as_ref().is_some_and(|it| is_another_task(&it.sent, &opened.sent, &content)) {
        return Err(InboundError::Conflict);
    }
    Ok(Recorded { referral, repeated: true, message: earlier.map(Opened::into_r4) })
}

/// The message by which a referral was recorded; none where it was purged.
pub async fn message_of(
    inbound: &Inbound,
    id: ReferralId,
    version: FhirVersion,
) -> Result<Option<Opened>, InboundError> {
    let Some(body) = inbound.store.body(id).await? else {
        return Ok(None);
    };
    open::again(body.reveal(), version).map(Some).map_err(|_| InboundError::Lost)
}

/// By the same door, another Task is another content; by another door it is the first one's that counts.
fn is_another_task(earlier: &Value, message: &Value, content: &Content) -> bool {
    let form = |it: &Value| [it["resourceType"].clone(), it["type"].clone()];
    form(earlier) == form(message) && !content.agrees_in_tasks(&Content::of(&Submission::of(earlier)))
}

/// By what this submission is known again (reference: delivery B4). The content itself is the key only
/// where the sender named nothing that any door knows; a requisition is no key, since it is shared by several orders.
fn keys(
    envelope: &Envelope,
    message: &Value,
    (canonical, known_by): (&[u8], &[KnownBy]),
) -> Vec<SubmissionKey> {
    let mut keys = Keys::default();
    if let Some(id) = envelope.request_id.as_ref().filter(|_| known_by.contains(&KnownBy::XRequestId)) {
        keys.add(KeyScope::RequestId, id.clone());
    }
    if let Some(key) = &envelope.idempotency_key {
        keys.add(KeyScope::IdempotencyKey, key.clone());
    }
    if let Some(condition) = envelope.if_none_exist.as_deref().or_else(|| entry_condition(message)) {
        keys.add(KeyScope::IfNoneExist, condition.to_owned());
    }
    for (system, value) in service_request(message).into_iter().flat_map(coding::identifiers) {
        keys.add(KeyScope::Identifier, format!("{system}|{value}"));
    }
    if let Some(value) = message["identifier"]["value"].as_str() {
        let system = message["identifier"]["system"].as_str().unwrap_or_default();
        keys.add(KeyScope::BundleIdentifier, format!("{system}|{value}"));
    }
    if keys.0.is_empty() {
        keys.add(KeyScope::Content, STANDARD.encode(canonical));
    }
    if let Some(gathered) = &envelope.gathered {
        // Before all others: what it refers to may have changed, and it is the same all the same.
        keys.0.insert(0, sent(gathered.sent.reveal()));
        for (system, value) in task(message).into_iter().flat_map(coding::identifiers) {
            keys.add(KeyScope::TaskIdentifier, format!("{system}|{value}"));
        }
    }
    // Where a guide uses one Bundle.id for several messages, it names none of them.
    if envelope.door == Door::Message
        && known_by.contains(&KnownBy::MessageIds)
        && let Some(id) = message["id"].as_str()
    {
        keys.add(KeyScope::Message, id.to_owned());
    }
    keys.0
}

/// The key of a bare Task, by its canonical form.
pub(super) fn sent(canonical: &[u8]) -> SubmissionKey {
    let value = String::from_utf8_lossy(canonical).into_owned();
    SubmissionKey { scope: KeyScope::Sent, value: Sensitive::new(value) }
}

#[derive(Default)]
struct Keys(Vec<SubmissionKey>);

impl Keys {
    /// A sender may name the same twice.
    fn add(&mut self, scope: KeyScope, value: String) {
        if !self.0.iter().any(|it| it.scope == scope && *it.value.reveal() == value) {
            self.0.push(SubmissionKey { scope, value: Sensitive::new(value) });
        }
    }
}

/// FHIR lets a search name an identifier with its system or without (FHIR R4, search, token).
fn found_by(message: &Value) -> Vec<Sensitive<String>> {
    let named = service_request(message).into_iter().chain(task(message)).flat_map(coding::identifiers);
    named
        .flat_map(|(system, value)| [format!("{system}|{value}"), value.to_owned()])
        .map(Sensitive::new)
        .collect()
}

fn task(message: &Value) -> Option<&Value> {
    bundle::resources(message).find(|it| resource::resource_type(it) == "Task")
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
