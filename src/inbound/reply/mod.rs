//! What a partner sends about a referral that we have: recorded like a referral, and taken to the clinic by the worker
//! after it.

mod about;
mod check;
mod message;
mod shown;
mod take;

use jiff::Timestamp;
use serde_json::Value;

use super::open::{self, Opened};
use super::{Inbound, InboundError, Intake};
use crate::fhir::{coding, resource};
use crate::model::crash_point::crash_point;
use crate::model::ids::{ReferralId, ReplyId};
use crate::model::partner::Partner;
use crate::model::referral::{KeyScope, Referral, SubmissionKey};
use crate::model::reply::{NewReply, ReplyAcceptance, ReplyKind};
use crate::model::sensitive::Sensitive;
use crate::translation::reply::is_abort;
use crate::translation::submission::Submission;

/// A reply as it came.
#[derive(Debug)]
pub struct Incoming {
    /// What it is.
    pub kind: ReplyKind,
    /// Its bytes; of a Task that was patched, the Task as it is then.
    pub body: Sensitive<Vec<u8>>,
    /// `Idempotency-Key`, where the sender gave one.
    pub idempotency_key: Option<String>,
    /// When the last byte was here.
    pub received: Timestamp,
}

/// A reply that was found in order, and is not recorded yet.
#[derive(Debug)]
pub struct Draft {
    /// What it is about.
    pub referral: Referral,
    kind: ReplyKind,
    opened: Opened,
    new: NewReply,
}

/// What a partner is told about a reply.
#[derive(Debug)]
pub struct ReplyReceipt {
    /// The reply.
    pub id: ReplyId,
    /// What it is about.
    pub referral: ReferralId,
    /// It was known.
    pub repeated: bool,
    /// What was sent, under the id that we gave it.
    pub resource: Value,
}

impl Inbound {
    /// Reads a reply, finds what it is about and whether it is in order. `about`: the referral, where its address
    /// names it.
    pub async fn draft(
        &self,
        partner: &Partner,
        incoming: Incoming,
        about: Option<Referral>,
    ) -> Result<Draft, InboundError> {
        let opened = open::again(incoming.body.reveal(), partner.fhir_version)?;
        check::form(&opened, incoming.kind)?;
        let referral = match about {
            Some(referral) => referral,
            None => self.referral_of(partner, opened.message()).await?,
        };
        let message = self.message(&referral, partner).await?;
        let updates = self.updates_of(referral.id).await?;
        check::references(&opened, &self.places(&referral, &Submission::of(&message), &updates))?;
        let new = NewReply {
            id: ReplyId::new(incoming.received),
            referral: referral.id,
            partner: partner.id.clone(),
            kind: incoming.kind,
            keys: keys(&opened, incoming.idempotency_key),
            canonical: Sensitive::new(resource::canonical(&opened.sent)),
            body: incoming.body,
            received: incoming.received,
        };
        Ok(Draft { referral, kind: incoming.kind, opened, new })
    }

    /// The receipt of a reply that is known; none: it is new.
    pub async fn known_reply(&self, draft: &Draft) -> Result<Option<ReplyReceipt>, InboundError> {
        match self.store.known_reply(draft.new.clone()).await? {
            Some(ReplyAcceptance::Recorded(id) | ReplyAcceptance::Repeated(id)) => {
                Ok(Some(draft.receipt(id, true)))
            }
            Some(ReplyAcceptance::Conflict) => Err(InboundError::Conflict),
            None => Ok(None),
        }
    }

    /// Records a reply. Once this has answered it exists whatever happens next, and goes to the clinic. `shown`: the
    /// referral's Task as the partner knows it; by that it is judged whether the partner may do what it asks for.
    pub async fn record_reply(
        &self,
        partner: &Partner,
        draft: Draft,
        shown: &Value,
        intake: Intake,
    ) -> Result<ReplyReceipt, InboundError> {
        if intake == Intake::RepeatsOnly {
            return Err(InboundError::Shut);
        }
        self.judge(partner, &draft, shown)?;
        crash_point("before-commit");
        let acceptance = self.store.accept_reply(draft.new.clone()).await?;
        crash_point("after-commit");
        let (id, repeated) = match acceptance {
            ReplyAcceptance::Recorded(id) => (id, false),
            ReplyAcceptance::Repeated(id) => (id, true),
            ReplyAcceptance::Conflict => return Err(InboundError::Conflict),
        };
        tracing::info!(
            referral.id = %draft.referral.id, partner.id = %partner.id, reply.id = %id, kind = draft.kind.word(), repeated,
            "reply accepted"
        );
        Ok(draft.receipt(id, repeated))
    }

    /// A reply as its sender may read it again.
    pub async fn reply(
        &self,
        partner: &Partner,
        resource_type: &str,
        id: &str,
    ) -> Result<Option<Value>, InboundError> {
        let Ok(id) = id.parse::<ReplyId>() else {
            return Ok(None);
        };
        let Some(reply) = self.store.reply(id).await? else {
            return Ok(None);
        };
        if self.own(&partner.id, reply.referral).await?.is_none() {
            return Ok(None);
        }
        let Some(body) = self.store.reply_body(id).await? else {
            return Ok(None);
        };
        let opened = open::again(body.reveal(), partner.fhir_version).map_err(|_| InboundError::Lost)?;
        let is_asked_for =
            reply.kind != ReplyKind::TaskChange && resource::resource_type(opened.message()) == resource_type;
        let mut shown = hosted(opened.message(), id, reply.received);
        if reply.kind == ReplyKind::AbortTask && reply.at_clinic.is_some() {
            shown["status"] = serde_json::json!("received");
            shown["meta"]["versionId"] = serde_json::json!("2");
        }
        Ok(Some(shown).filter(|_| is_asked_for))
    }
}

impl Draft {
    /// The Task that was sent, as R4.
    pub fn task(&self) -> &Value {
        self.opened.message()
    }

    fn receipt(&self, id: ReplyId, repeated: bool) -> ReplyReceipt {
        let resource = hosted(self.opened.message(), id, self.new.received);
        ReplyReceipt { id, referral: self.referral.id, repeated, resource }
    }
}

fn hosted(sent: &Value, id: ReplyId, received: Timestamp) -> Value {
    let mut resource = sent.clone();
    resource["id"] = serde_json::json!(id.to_string());
    if !resource["meta"].is_object() {
        resource["meta"] = serde_json::json!({});
    }
    resource["meta"]["versionId"] = serde_json::json!("1");
    resource["meta"]["lastUpdated"] = serde_json::json!(id.made().max(received).to_string());
    resource
}

/// By what a reply is known again: what its sender chose, its identifiers, or all of it.
fn keys(opened: &Opened, idempotency_key: Option<String>) -> Vec<SubmissionKey> {
    let key = |scope, value| SubmissionKey { scope, value: Sensitive::new(value) };
    let sent = &opened.sent;
    let mut keys: Vec<SubmissionKey> =
        idempotency_key.into_iter().map(|it| key(KeyScope::IdempotencyKey, it)).collect();
    match resource::resource_type(sent) {
        "Bundle" => keys.extend(message::ids(sent).map(|it| key(KeyScope::Message, it))),
        // A Task that was changed has the identifiers that it always had.
        "Task" if !is_abort(opened.message()) => {}
        _ => keys.extend(
            coding::identifiers(opened.message())
                .map(|(system, value)| key(KeyScope::Identifier, format!("{system}|{value}"))),
        ),
    }
    if keys.is_empty() {
        keys.push(key(KeyScope::Content, String::from_utf8_lossy(&resource::canonical(sent)).into_owned()));
    }
    keys
}

/// Whether a resource is a Task by which a placer asks to stop.
pub fn is_abort_task(resource: &Value) -> bool {
    is_abort(resource)
}
