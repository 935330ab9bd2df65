//! Why something that a partner sent was not taken, in words for its sender.

use super::gather::GatherFault;
use crate::fhir::json::JsonError;
use crate::fhir::outcome::{Explain, Issue, IssueKind};
use crate::model::envelope::Door;
use crate::model::referral_state::Refused;
use crate::model::reply::ReplyKind;
use crate::model::work::StoreError;
use crate::translation::dialects::{CancelWay, DialectBroken};
use crate::validation::ProfileFault;

/// Why a referral did not get in. What is shown here goes to our log and holds no value from a resource.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The body is not JSON that we take.
    #[error("the body {0}")]
    NotJson(#[from] JsonError),
    /// The message is not what its door takes.
    #[error("not what {0:?} takes")]
    WrongDoor(Door),
    /// The message breaks a rule.
    #[error("{} issues", .0.len())]
    Invalid(Vec<Issue>),
    /// A Task could not be made whole. Nothing was recorded.
    #[error(transparent)]
    Gather(#[from] GatherFault),
    /// A profile that the partner's resources must meet cannot be used. Nothing was recorded.
    #[error("nothing of this partner can be checked: {0}")]
    Profile(#[from] ProfileFault),
    /// What belongs to the partner's dialect cannot be used. Nothing was recorded.
    #[error("nothing of this partner can be translated: {0}")]
    Dialect(#[from] DialectBroken),
    /// A key of the submission is taken by another content. Nothing was recorded.
    #[error("a key of the submission is taken by another content")]
    Conflict,
    /// It was taken before, and the guide has that told as a conflict.
    #[error("it was taken before")]
    Known,
    /// A reply is not what its door takes.
    #[error("not what the door for a {} takes", .0.word())]
    NotAReply(ReplyKind),
    /// A reply names no referral of this partner.
    #[error("the reply is about no referral of this partner")]
    NotAbout,
    /// A reply names several.
    #[error("the reply is about several referrals")]
    AboutSeveral,
    /// The placer may not do this where the referral stands.
    #[error(transparent)]
    State(Refused),
    /// The guide stops a referral in another way, where it stands.
    #[error("a referral is stopped in another way, {0:?}")]
    CancelWay(CancelWay),
    /// A reply changes nothing.
    #[error("the reply changes nothing")]
    NothingToDo,
    /// No new ones are taken now. Nothing was recorded.
    #[error("no new referrals are taken now")]
    Shut,
    /// The ledger failed. Whether the referral was recorded may be unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The referral was recorded, and could not be read back.
    #[error("a recorded referral cannot be read back")]
    Lost,
}

impl Explain for InboundError {
    fn issues(&self) -> Vec<Issue> {
        match self {
            Self::NotJson(error) => vec![not_json(error)],
            Self::WrongDoor(door) => vec![wrong_door(*door)],
            Self::Invalid(issues) => issues.clone(),
            Self::Gather(fault) => vec![fault.issue()],
            Self::Conflict => vec![Issue::error(
                IssueKind::Duplicate,
                "SEND_DUPLICATE",
                "This identifier or idempotency key was used before with another content. Nothing was \
                 recorded; send a new referral under a new identifier, or the first one unchanged.",
            )],
            Self::Profile(_) => vec![Issue::error(
                IssueKind::Transient,
                "GW_PROFILE_BROKEN",
                "Nothing was recorded, because a profile of ours by which this is checked is broken. Send the same \
                 again later; nothing needs to be changed.",
            )],
            Self::Dialect(_) => vec![Issue::error(
                IssueKind::Transient,
                "GW_DIALECT_BROKEN",
                "Nothing was recorded, because a definition of ours by which this is translated is broken. Send the \
                 same again later; nothing needs to be changed.",
            )],
            Self::Known => vec![Issue::error(
                IssueKind::Duplicate,
                "SEND_KNOWN",
                "This was taken before, so there is nothing to do: your guide has a repeat answered so.",
            )],
            Self::NotAReply(_)
            | Self::NotAbout
            | Self::AboutSeveral
            | Self::State(_)
            | Self::CancelWay(_)
            | Self::NothingToDo => vec![reply_issue(self)],
            Self::Shut => vec![Issue::error(
                IssueKind::Throttled,
                "GW_SHUT",
                "Nothing was recorded, because no new referrals are taken for now. Send the same again later.",
            )],
            Self::Store(StoreError::Busy) => vec![Issue::error(
                IssueKind::Throttled,
                "GW_BUSY",
                "Nothing was recorded, because too much is waiting. Send the same again later.",
            )],
            Self::Store(_) | Self::Lost => vec![Issue::error(
                IssueKind::Transient,
                "GW_STORE_UNAVAILABLE",
                "The ledger did not answer, so nothing is certain. Send the same again; nothing is recorded twice.",
            )],
        }
    }
}

fn not_json(error: &JsonError) -> Issue {
    let code = match error {
        JsonError::DuplicateKey { .. } => "SEND_JSON_DUPLICATE_KEY",
        JsonError::TooDeep => "SEND_JSON_TOO_DEEP",
        JsonError::Empty => "SEND_BODY_EMPTY",
        _ => "SEND_JSON_INVALID",
    };
    let text = format!("Send one FHIR resource as JSON (RFC 8259, UTF-8). The body {error}.");
    Issue::error(IssueKind::Structure, code, text)
}

fn wrong_door(door: Door) -> Issue {
    let text = match door {
        Door::Transaction => {
            "Send a Bundle of type transaction here. A single ServiceRequest goes to POST /fhir/ServiceRequest, a Task \
             to POST /fhir/Task."
        }
        Door::ServiceRequest => {
            "Send a ServiceRequest here, with what it refers to contained. A transaction goes to POST /fhir."
        }
        Door::Task => "Send a Task here whose `focus` or `basedOn` names the ServiceRequest.",
        Door::Message => "Send a Bundle of type message here. A transaction goes to POST /fhir.",
    };
    Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNEXPECTED", text)
}

fn reply_issue(error: &InboundError) -> Issue {
    let (kind, code, text) = match error {
        InboundError::NotAReply(kind) => {
            let text = format!("Send a {} here, as this address says.", expected(*kind));
            return Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNEXPECTED", text);
        }
        InboundError::AboutSeveral => (
            IssueKind::BusinessRule,
            "SEND_REPLY_AMBIGUOUS",
            "Name one referral only: by its address here, `ServiceRequest/ref-…` or `Task/ref-…`, or by an identifier \
             that no other referral of yours has.",
        ),
        InboundError::State(refused) => {
            let text = format!(
                "Nothing was changed, because {refused}. Read the Task to see where the referral stands; talk to the \
                 clinic about what is over."
            );
            return Issue::error(IssueKind::Conflict, "SEND_STATE", text);
        }
        InboundError::CancelWay(way) => {
            let how = match way {
                CancelWay::Status => "set the status of the Task to `cancelled`",
                CancelWay::Request => "set the Task's business status to that of a requested cancellation",
                CancelWay::AbortTask => "POST a Task with code `abort` whose `focus` is the referral's Task",
                CancelWay::Message => "send a message with the order revoked",
            };
            let text = format!("Nothing was changed: where this referral stands, {how}.");
            return Issue::error(IssueKind::BusinessRule, "SEND_CANCEL_WAY", text);
        }
        InboundError::NothingToDo => (
            IssueKind::BusinessRule,
            "SEND_REPLY_EMPTY",
            "Change the status, add to `input` or `note`, or send a Communication, a DocumentReference or a \
             QuestionnaireResponse: this changes nothing.",
        ),
        _ => (
            IssueKind::NotFound,
            "SEND_REPLY_UNKNOWN",
            "Name the referral that this is about: by its address here, `ServiceRequest/ref-…` or `Task/ref-…`, or by an \
             identifier that you sent with it.",
        ),
    };
    Issue::error(kind, code, text)
}

const fn expected(kind: ReplyKind) -> &'static str {
    match kind {
        ReplyKind::Communication => "Communication",
        ReplyKind::DocumentReference => "DocumentReference",
        ReplyKind::QuestionnaireResponse => "QuestionnaireResponse",
        ReplyKind::TaskChange => "Task",
        ReplyKind::AbortTask => "Task with code `abort`",
        ReplyKind::Message => "Bundle of type message",
    }
}
