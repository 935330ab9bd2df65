//! What a partner sends about a referral that we have: recorded like a referral, and taken to the clinic by the worker
//! after it.

mod about;
mod check;
mod message;
mod shown;
mod take;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::open::{self, Opened};
use super::{Inbound, InboundError, Intake, edge};
use crate::fhir::{coding, resource};
use crate::model::crash_point::crash_point;
use crate::model::ids::{ReferralId, ReplyId};
use crate::model::partner::Partner;
use crate::model::referral::{KeyScope, Referral, SubmissionKey};
use crate::model::reply::{NewReply, ReplyAcceptance, ReplyKind};
use crate::model::sensitive::Sensitive;
use crate::translation::dialects::{DuplicateAnswer, SubmissionKey as KnownBy};
use crate::translation::reply::is_abort;
use crate::translation::submission::Submission;

/// A reply as it came.
#[derive(Debug)]
pub struct Incoming {
    /// What it is.
    pub kind: ReplyKind,
    /// Its bytes; of a Task that was patched, the Task as it is then.
    pub body: Sensitive<Vec<u8>>,
    /// The patch, where the body was made by one, without white space or order.
    pub patch: Option<Sensitive<Vec<u8>>>,
    /// `Idempotency-Key`, where the sender gave one.
    pub idempotency_key: Option<String>,
    /// `X-Request-Id`, where the sender gave one: some guides name a message by it (BaRS).
    pub request_id: Option<String>,
    /// `If-Match`: the version that a change is one of. The same change of another version is another one.
    pub if_match: Option<String>,
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
        let known_by = &self.house.dialects.of(partner.dialect)?.rules.duplicates.known_by;
        let canonical = content(&opened, &incoming);
        let new = NewReply {
            id: ReplyId::new(incoming.received),
            referral: referral.id,
            partner: partner.id.clone(),
            kind: incoming.kind,
            keys: keys(&opened, &incoming, (&canonical, known_by)),
            canonical: Sensitive::new(canonical),
            body: incoming.body,
            received: incoming.received,
        };
        Ok(Draft { referral, kind: incoming.kind, opened, new })
    }

    /// The receipt of a reply that is known; none: it is new.
    pub async fn known_reply(
        &self,
        partner: &Partner,
        draft: &Draft,
    ) -> Result<Option<ReplyReceipt>, InboundError> {
        match self.store.known_reply(draft.new.clone()).await? {
            Some(acceptance) => self.receipt_of_reply(partner, draft, acceptance).map(Some),
            None => Ok(None),
        }
    }

    fn receipt_of_reply(
        &self,
        partner: &Partner,
        draft: &Draft,
        acceptance: ReplyAcceptance,
    ) -> Result<ReplyReceipt, InboundError> {
        let (id, repeated) = match acceptance {
            ReplyAcceptance::Recorded(id) => (id, false),
            ReplyAcceptance::Repeated(id) => (id, true),
            ReplyAcceptance::Conflict => return Err(InboundError::Conflict),
        };
        let answer = self.house.dialects.of(partner.dialect)?.rules.duplicates.answer;
        if repeated && draft.kind == ReplyKind::Message && answer == DuplicateAnswer::Conflict {
            return Err(InboundError::Known);
        }
        Ok(draft.receipt(id, repeated))
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
        // As its sender has it: another version of FHIR says some of it otherwise.
        let shown = edge::as_r4(edge::for_version(shown.clone(), partner.fhir_version), partner.fhir_version);
        self.judge(partner, &draft, &shown)?;
        crash_point("before-commit");
        let acceptance = self.store.accept_reply(draft.new.clone()).await?;
        crash_point("after-commit");
        let receipt = self.receipt_of_reply(partner, &draft, acceptance)?;
        tracing::info!(
            referral.id = %receipt.referral, partner.id = %partner.id, reply.id = %receipt.id, kind = draft.kind.word(),
            repeated = receipt.repeated, "reply accepted"
        );
        Ok(receipt)
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
        let Some(reply) = self.store.reply(id).await?.filter(|it| it.partner == partner.id) else {
            return Ok(None);
        };
        let Some(body) = self.store.reply_body(id).await? else {
            return Ok(None);
        };
        let opened = open::again(body.reveal(), partner.fhir_version).map_err(|_| InboundError::Lost)?;
        let is_asked_for =
            reply.kind != ReplyKind::TaskChange && resource::resource_type(opened.message()) == resource_type;
        let mut shown = hosted(opened.message(), id, reply.received);
        if reply.kind == ReplyKind::AbortTask && reply.at_clinic.is_some() {
            shown["status"] = json!("received");
            shown["meta"]["versionId"] = json!("2");
        }
        Ok(Some(shown).filter(|_| is_asked_for))
    }
}

impl Draft {
    fn receipt(&self, id: ReplyId, repeated: bool) -> ReplyReceipt {
        let resource = hosted(self.opened.message(), id, self.new.received);
        ReplyReceipt { id, referral: self.referral.id, repeated, resource }
    }
}

fn hosted(sent: &Value, id: ReplyId, received: Timestamp) -> Value {
    let mut resource = sent.clone();
    resource["id"] = json!(id.to_string());
    if !resource["meta"].is_object() {
        resource["meta"] = json!({});
    }
    resource["meta"]["versionId"] = json!("1");
    resource["meta"]["lastUpdated"] = json!(id.made().max(received).to_string());
    resource
}

/// What was asked for, without white space or order: of a change also the version that it is one of.
fn content(opened: &Opened, incoming: &Incoming) -> Vec<u8> {
    let patch = incoming.patch.as_ref().map(|it| it.reveal().clone());
    let mut content = patch.unwrap_or_else(|| resource::canonical(&opened.sent));
    if let Some(version) = &incoming.if_match {
        content.push(b'\n');
        content.extend(version.bytes());
    }
    content
}

/// By what a reply is known again: what its sender chose, its identifiers, or all of it.
fn keys(
    opened: &Opened,
    incoming: &Incoming,
    (content, known_by): (&[u8], &[KnownBy]),
) -> Vec<SubmissionKey> {
    let key = |scope, value| SubmissionKey { scope, value: Sensitive::new(value) };
    let chosen = incoming.idempotency_key.iter().map(|it| key(KeyScope::IdempotencyKey, it.clone()));
    let mut keys: Vec<SubmissionKey> = chosen.collect();
    match incoming.kind {
        ReplyKind::Message => keys.extend(message_keys(&opened.sent, incoming, known_by)),
        // A Task that was changed has the identifiers that it always had.
        ReplyKind::TaskChange => {}
        _ => keys.extend(
            coding::identifiers(opened.message())
                .map(|(system, value)| key(KeyScope::Identifier, format!("{system}|{value}"))),
        ),
    }
    if keys.is_empty() {
        keys.push(key(KeyScope::Content, String::from_utf8_lossy(content).into_owned()));
    }
    keys
}

/// By what a guide knows a message again. Where it uses one `Bundle.id` for several, that names none of them.
fn message_keys(sent: &Value, incoming: &Incoming, known_by: &[KnownBy]) -> Vec<SubmissionKey> {
    let key = |scope, value| SubmissionKey { scope, value: Sensitive::new(value) };
    let by = |wanted| known_by.contains(&wanted);
    let request = incoming.request_id.as_ref().filter(|_| by(KnownBy::XRequestId));
    let ids = Some(()).filter(|()| by(KnownBy::MessageIds)).and_then(|()| message::ids(sent));
    let request = request.map(|it| key(KeyScope::RequestId, it.clone()));
    request.into_iter().chain(ids.map(|it| key(KeyScope::Message, it))).collect()
}

/// Whether a resource is a Task by which a placer asks to stop.
pub fn is_abort_task(resource: &Value) -> bool {
    is_abort(resource)
}
