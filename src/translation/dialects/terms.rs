//! How a guide says one state.

use serde::Deserialize;

use crate::model::referral_state::ReferralState;

/// FHIR R4's task-status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// Not sent yet.
    Draft,
    /// Sent.
    Requested,
    /// The filler looks at it.
    Received,
    /// The filler will do it.
    Accepted,
    /// The filler will not do it.
    Rejected,
    /// It could begin.
    Ready,
    /// It was stopped.
    Cancelled,
    /// It is being done.
    InProgress,
    /// Nothing is done for a while.
    OnHold,
    /// It could not be done.
    Failed,
    /// It was done.
    Completed,
    /// It should never have been.
    EnteredInError,
}

impl TaskStatus {
    const ALL: [(Self, &'static str, ReferralState); 12] = [
        (Self::Draft, "draft", ReferralState::New),
        (Self::Requested, "requested", ReferralState::New),
        (Self::Received, "received", ReferralState::UnderReview),
        (Self::Accepted, "accepted", ReferralState::Accepted),
        (Self::Rejected, "rejected", ReferralState::Declined),
        (Self::Ready, "ready", ReferralState::Accepted),
        (Self::Cancelled, "cancelled", ReferralState::Cancelled),
        (Self::InProgress, "in-progress", ReferralState::InProgress),
        (Self::OnHold, "on-hold", ReferralState::OnHold),
        (Self::Failed, "failed", ReferralState::Failed),
        (Self::Completed, "completed", ReferralState::Completed),
        (Self::EnteredInError, "entered-in-error", ReferralState::EnteredInError),
    ];

    /// The status of FHIR's code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == code).map(|(it, ..)| it)
    }

    /// FHIR's code.
    pub fn code(self) -> &'static str {
        Self::ALL.into_iter().find(|(it, ..)| *it == self).map_or("requested", |(_, code, _)| code)
    }

    /// The state that the status stands for where nothing else is said.
    pub fn state(self) -> ReferralState {
        Self::ALL.into_iter().find(|(it, ..)| *it == self).map_or(ReferralState::New, |(.., state)| state)
    }

    /// Whether the filler has not yet said yes or no.
    pub const fn is_before_acceptance(self) -> bool {
        matches!(self, Self::Draft | Self::Requested | Self::Received)
    }
}

/// How a guide says one state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateTerms {
    /// `Task.status`. None: that of the state which the clinic's status alone stands for, and its business status.
    pub status: Option<TaskStatus>,
    /// `Task.status` as long as the filler did not say yes or no, where that differs.
    pub status_before_acceptance: Option<TaskStatus>,
    /// The code in `Task.businessStatus`.
    pub business_status: Option<String>,
    /// Other business statuses that are read as this state and never written.
    #[serde(default)]
    pub also_read: Vec<String>,
    /// `Task.businessStatus.text`.
    pub text: Option<String>,
    /// `Task.statusReason.text` where the clinic gave no reason and the guide wants one.
    pub reason: Option<String>,
    /// What stands in `Task.output` where there is nothing and the guide wants something.
    pub output: Option<OutputTerms>,
    /// How a message says it, where the guide has messages.
    pub message: Option<MessageTerms>,
}

/// An output that says that nothing is said.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputTerms {
    /// The code system of its type.
    pub type_system: String,
    /// The code of its type.
    pub type_code: String,
    /// The code system of its value.
    pub value_system: String,
    /// The code of its value.
    pub value_code: String,
    /// Its value for people.
    pub text: String,
}

/// How a message of the filler says a state.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageTerms {
    /// `MessageHeader.eventCoding.code`.
    pub event: String,
    /// `MessageHeader.reason.coding.code`.
    pub reason: String,
    /// `ServiceRequest.status`.
    pub request_status: String,
    /// `Encounter.status`, where the message has one in focus.
    pub encounter_status: Option<String>,
}

impl StateTerms {
    /// Whether a Task with these says this state.
    pub(super) fn is_said(&self, status: TaskStatus, business_status: Option<&str>) -> bool {
        let statuses = [self.status, self.status_before_acceptance];
        let of_status = self.status.is_some() && statuses.contains(&Some(status));
        let code = self.business_status.as_deref();
        let of_code =
            code == business_status || self.also_read.iter().any(|it| Some(it.as_str()) == business_status);
        of_status && of_code
    }
}
