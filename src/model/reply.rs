//! What a partner sends about a referral that we have.

use jiff::Timestamp;

use super::ids::{PartnerId, ReferralId, ReplyId};
use super::referral::SubmissionKey;
use super::sensitive::Sensitive;

/// A reply to record for the first time.
#[derive(Clone, Debug)]
pub struct NewReply {
    /// Its new id.
    pub id: ReplyId,
    /// What it is about.
    pub referral: ReferralId,
    /// Who sent it.
    pub partner: PartnerId,
    /// What it is.
    pub kind: ReplyKind,
    /// By what the same is known again.
    pub keys: Vec<SubmissionKey>,
    /// What is to be taken to the clinic, as it arrived.
    pub body: Sensitive<Vec<u8>>,
    /// Its content: two with a common key must agree in it.
    pub canonical: Sensitive<Vec<u8>>,
    /// When it arrived.
    pub received: Timestamp,
}

/// A recorded reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its id.
    pub id: ReplyId,
    /// What it is about.
    pub referral: ReferralId,
    /// What it is.
    pub kind: ReplyKind,
    /// When it was recorded.
    pub received: Timestamp,
    /// What the clinic's server calls what was made of it, `Communication/5`, once that stands there.
    pub at_clinic: Option<String>,
    /// It will not come to the clinic without a person, or somebody decided that it is not to.
    pub stopped: bool,
}

/// What became of a reply in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyAcceptance {
    /// It is new and recorded.
    Recorded(ReplyId),
    /// The same was recorded before.
    Repeated(ReplyId),
    /// A key of it is taken by another content. Nothing was recorded.
    Conflict,
}

/// What a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// A Communication.
    Communication,
    /// A DocumentReference.
    DocumentReference,
    /// A QuestionnaireResponse.
    QuestionnaireResponse,
    /// The referral's Task, changed.
    TaskChange,
    /// A Task with code `abort`.
    AbortTask,
    /// A message about a referral that we have.
    Message,
}

impl ReplyKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Communication,
        Self::DocumentReference,
        Self::QuestionnaireResponse,
        Self::TaskChange,
        Self::AbortTask,
        Self::Message,
    ];

    /// Its word, in the ledger and for operators.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Communication => "communication",
            Self::DocumentReference => "document-reference",
            Self::QuestionnaireResponse => "questionnaire-response",
            Self::TaskChange => "task-change",
            Self::AbortTask => "abort-task",
            Self::Message => "message",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}
