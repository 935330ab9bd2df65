//! A referral that we answer for.

use jiff::Timestamp;

use super::ids::{PartnerId, ReferralId};
use super::sensitive::Sensitive;
use super::update::ResourceVersion;

/// A referral to record for the first time.
#[derive(Clone, Debug)]
pub struct NewReferral {
    /// Its new id.
    pub id: ReferralId,
    /// Who sent it.
    pub partner: PartnerId,
    /// By what the same submission is known again.
    pub keys: Vec<SubmissionKey>,
    /// What else it can be found by: identifiers of order and Task, each as `system|value` and as `value`.
    pub found_by: Vec<Sensitive<String>>,
    /// The submission as it arrived.
    pub body: Sensitive<Vec<u8>>,
    /// The content, whichever door it came through: two submissions with a common key must agree in it.
    pub canonical: Sensitive<Vec<u8>>,
    /// When it arrived.
    pub received: Timestamp,
}

/// One thing by which a submission is known again. Kept as a keyed digest only.
#[derive(Clone, Debug)]
pub struct SubmissionKey {
    /// What kind of key it is.
    pub scope: KeyScope,
    /// The key itself; may be a patient's business identifier.
    pub value: Sensitive<String>,
}

/// The kinds of keys, strongest first (reference: delivery B4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// The `Idempotency-Key` header.
    IdempotencyKey = 1,
    /// The `If-None-Exist` header or `ifNoneExist` of the ServiceRequest's entry.
    IfNoneExist = 2,
    /// A business identifier of the ServiceRequest, `system|value`.
    Identifier = 3,
    /// `Bundle.identifier`.
    BundleIdentifier = 4,
    /// The content itself, where nothing else names the submission.
    Content = 5,
    /// The bare Task that was sent, whatever stands behind it on the sender's server by now.
    Sent = 6,
    /// A business identifier of the Task, `system|value`, where the Task is what was sent.
    TaskIdentifier = 7,
    /// `Bundle.id` of a message (FHIR R4, messaging, reliable messaging).
    Message = 8,
    /// The header `X-Request-Id`, where the guide knows a message by it (BaRS).
    RequestId = 9,
}

/// What became of a submission in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is new and recorded.
    Recorded(ReferralId),
    /// The same was recorded before.
    Repeated(ReferralId),
    /// A key of it is taken by another content. Nothing was recorded.
    Conflict,
}

/// A recorded referral.
#[derive(Clone, Debug)]
pub struct Referral {
    /// Its id, also that of the coordination Task.
    pub id: ReferralId,
    /// Who sent it; nobody else may see it.
    pub partner: PartnerId,
    /// When it was recorded.
    pub received: Timestamp,
    /// Where it stands at the clinic, once it does.
    pub clinic: Option<ClinicRecord>,
    /// When we last changed the record.
    pub updated: Timestamp,
}

impl Referral {
    /// One that was just recorded. The ledger's times are whole milliseconds.
    pub fn new(id: ReferralId, partner: PartnerId, received: Timestamp) -> Self {
        let received = Timestamp::from_millisecond(received.as_millisecond()).unwrap_or(received);
        Self { id, partner, received, updated: received, clinic: None }
    }
}

/// What the clinic's server made of a referral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClinicRecord {
    /// The resources in the order of the submission; our own Task and Provenance last.
    pub written: Vec<Written>,
    /// The server's own time of the write, where it told one.
    pub at: Option<Timestamp>,
}

impl ClinicRecord {
    /// The first resource of a type, such as the one ServiceRequest.
    pub fn first(&self, resource_type: &str) -> Option<&ResourceVersion> {
        self.written.iter().map(|it| &it.resource).find(|it| it.resource_type == resource_type)
    }

    /// The coordination Task that we wrote: the last Task, since a placer's own would come before it.
    pub fn coordination_task(&self) -> Option<&ResourceVersion> {
        self.written.iter().rev().map(|it| &it.resource).find(|it| it.resource_type == "Task")
    }
}

/// One resource as the clinic's server names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The place in the submission, or none for what we added.
    pub entry: Option<usize>,
    /// Its name and first version there.
    pub resource: ResourceVersion,
}
