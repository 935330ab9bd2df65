//! What a guide says, as `dialect.toml` holds it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::terms::{MessageTerms, StateTerms, TaskStatus};
use crate::fhir::message::ReplyTo;
use crate::model::referral_state::{Actor, ReferralState, Transitions};

/// What one guide says. Values of several guides side by side: standards, part C.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialectRules {
    /// The guide's name and version, for people.
    pub guide: String,
    /// The doors that its users come through.
    pub doors: Vec<Door>,
    /// The profiles that it asks for, by their canonical addresses.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Which of a Task's two links leads to its order. Both are written whatever it says.
    pub link: Link,
    /// By what a reply is matched with what it answers.
    pub correlation: Correlation,
    /// The code system of its `Task.businessStatus`.
    pub business_status_system: Option<String>,
    /// Whether a `Task.statusReason` must have a text.
    #[serde(default)]
    pub reason_needs_text: bool,
    /// How a placer stops a referral.
    pub cancel: Cancel,
    /// What the same message a second time is answered with.
    pub duplicates: Duplicates,
    /// Its messages, where it has any.
    pub message: Option<MessageRules>,
    /// Its error codes, where it has any.
    pub errors: Option<ErrorCodes>,
    /// How each state is said. None of them: the clinic's Task is passed on as it is.
    #[serde(default)]
    pub(super) states: BTreeMap<ReferralState, StateTerms>,
    /// Who may take a referral from where to where.
    pub(super) transitions: Vec<Steps>,
}

/// A door that a message may come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// `POST /fhir`, a transaction Bundle.
    Transaction,
    /// `POST /fhir/ServiceRequest`.
    ServiceRequest,
    /// `POST /fhir/Task`; the order is read from the sender's server.
    Task,
    /// `PUT` or `PATCH /fhir/Task/{id}`.
    TaskUpdate,
    /// `POST /fhir/Task` with code `abort`.
    AbortTask,
    /// `POST /fhir/$process-message`.
    ProcessMessage,
    /// `POST /fhir/Communication`.
    Communication,
    /// `POST /fhir/QuestionnaireResponse`.
    QuestionnaireResponse,
}

/// A Task's links to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Link {
    /// `Task.focus`.
    #[serde(rename = "focus")]
    Focus,
    /// `Task.basedOn`.
    #[serde(rename = "basedOn")]
    BasedOn,
}

/// By what a reply is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correlation {
    /// `Task.identifier`.
    TaskIdentifier,
    /// `MessageHeader.response.identifier` is the request's `MessageHeader.id` (FHIR R4, messaging).
    MessageHeaderId,
    /// `MessageHeader.response.identifier` is the request's `Bundle.id` (BaRS).
    BundleId,
}

/// How a placer stops a referral.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Before the filler has begun.
    pub before_start: CancelWay,
    /// Afterwards.
    pub after_start: CancelWay,
}

/// One way to stop a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelWay {
    /// The Task becomes `cancelled`, and that is that.
    Status,
    /// The Task says that it was asked for; the filler answers.
    Request,
    /// A Task of its own with code `abort`; the filler answers.
    AbortTask,
    /// A message with the order revoked.
    Message,
}

/// What the same message a second time is answered with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// When the first was dealt with.
    pub answer: DuplicateAnswer,
    /// By what it is known, the best first.
    pub known_by: Vec<SubmissionKey>,
    /// The HTTP status as long as the first is still being dealt with; none: it waits.
    pub while_running: Option<u16>,
}

/// Answers to a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateAnswer {
    /// The first answer once more, status 200.
    SameAnswer,
    /// 409 with issue code `duplicate`, which its sender takes for success.
    Conflict,
}

/// By what a submission may be known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmissionKey {
    /// The header `X-Request-Id`.
    XRequestId,
    /// The header `Idempotency-Key`.
    IdempotencyKey,
    /// `Bundle.id` and `MessageHeader.id` together.
    MessageIds,
    /// The header `If-None-Exist`.
    IfNoneExist,
    /// The order's identifiers.
    OrderIdentifier,
    /// The content.
    Content,
}

/// What its messages look like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRules {
    /// The code system of `MessageHeader.eventCoding`.
    pub event_system: String,
    /// The event of a new referral.
    pub new_event: String,
    /// The event of every later message of the placer's.
    pub update_event: String,
    /// The event of what the filler sends.
    pub reply_event: String,
    /// The code system of `MessageHeader.reason`, where it is used.
    pub reason_system: Option<String>,
    /// The reason of a message that says nothing new of where the referral stands.
    pub update_reason: Option<String>,
    /// `MessageHeader.definition` of a message with the reply event.
    pub reply_definition: Option<String>,
    /// Who sends and who receives.
    #[serde(default)]
    pub parties: PartyType,
    /// Where a message names what it brings besides the Task.
    #[serde(default)]
    pub content_link: ContentLink,
    /// The types that `MessageHeader.focus` may have.
    pub focus: Vec<String>,
    /// What a MessageHeader must have, as paths such as `destination.receiver`.
    pub header_needs: Vec<String>,
}

impl MessageRules {
    /// What a header must have and would not.
    pub(super) fn unmet_need(&self) -> Option<&str> {
        let is_met = |need: &str| match need {
            "reason" => self.reason_system.is_some() && self.update_reason.is_some(),
            "definition" => self.reply_definition.is_some(),
            "source.endpoint" | "destination.endpoint" | "destination.receiver" | "sender" | "focus" => true,
            _ => false,
        };
        self.header_needs.iter().map(String::as_str).find(|it| !is_met(it))
    }
}

/// The type by which a MessageHeader names sender and receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum PartyType {
    /// The organisation.
    #[default]
    Organization,
    /// Whoever acts for the organisation.
    PractitionerRole,
}

/// Where a message names what it brings besides the Task, so that who follows its focus comes to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentLink {
    /// In `MessageHeader.focus`, behind the Task.
    #[default]
    Focus,
    /// In `Task.output`.
    TaskOutput,
    /// Nowhere: it names the order by itself.
    None,
}

/// Error codes for `OperationOutcome.issue.details.coding`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCodes {
    /// The systems under which they appear; we write the first and read all.
    pub systems: Vec<String>,
    /// Each code with its HTTP status and issue type.
    pub codes: Vec<ErrorCode>,
}

/// One error code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    /// The HTTP status.
    pub http: u16,
    /// FHIR's issue type.
    pub issue: String,
    /// The code.
    pub code: String,
}

/// Steps that an actor may take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steps {
    pub(super) by: Actor,
    pub(super) from: Vec<ReferralState>,
    pub(super) to: Vec<ReferralState>,
}

impl DialectRules {
    /// Who may take a referral from where to where.
    pub fn transitions(&self) -> Transitions {
        let mut all = Transitions::default();
        for steps in &self.transitions {
            all.allow(steps.by, &steps.from, &steps.to);
        }
        all
    }

    /// How a message says a state, where the guide's messages say any.
    pub fn message_of(&self, state: ReferralState) -> Option<&MessageTerms> {
        self.states.get(&state)?.message.as_ref()
    }

    /// Which id of a message an answer to it quotes; none where the two are matched by the Task's identifiers.
    pub const fn answers_quote(&self) -> Option<ReplyTo> {
        match self.correlation {
            Correlation::TaskIdentifier => None,
            Correlation::MessageHeaderId => Some(ReplyTo::MessageHeader),
            Correlation::BundleId => Some(ReplyTo::Bundle),
        }
    }

    /// The error code for an HTTP status and an issue type, as (system, code); none where the guide has none.
    /// A receiver's own code comes before that of somebody in between.
    pub fn error_code(&self, http: u16, issue: &str) -> Option<(&str, &str)> {
        let errors = self.errors.as_ref()?;
        let fitting = || errors.codes.iter().filter(|it| it.http == http && it.issue == issue);
        let ours = fitting().find(|it| it.code.starts_with("REC_")).or_else(|| fitting().next())?;
        Some((errors.systems.first()?, &ours.code))
    }

    /// The state that a Task in this dialect stands for. Of several that are said so it is the one that says least:
    /// the first, in the order of a referral, of those that are always said in the same way. None: the dialect does
    /// not say anything so.
    pub fn read(&self, status: TaskStatus, business_status: Option<&str>) -> Option<ReferralState> {
        let said = || self.states.iter().filter(|(_, terms)| terms.is_said(status, business_status));
        let always_so = said().find(|(_, terms)| terms.status_before_acceptance.is_none());
        always_so.or_else(|| said().next()).map(|(state, _)| *state)
    }
}
