//! Where a referral stands, in words of our own that every guide's words are translated from and to.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

/// Where a referral stands. The words are the union of what the guides tell apart; `in-progress` and `on-hold` are
/// what FHIR R4's Task.status alone can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferralState {
    /// The filler has it and did nothing yet.
    New,
    /// The filler looks at it.
    UnderReview,
    /// The filler asked the placer for something.
    AwaitingInformation,
    /// The filler will do it.
    Accepted,
    /// It is being done; nothing more is known.
    InProgress,
    /// Nothing is done for a while.
    OnHold,
    /// There is an appointment.
    Scheduled,
    /// The patient did not come.
    NoShow,
    /// The appointment is off; the referral is not.
    AppointmentCancelled,
    /// There is a first result, and more to come.
    InterimNote,
    /// It was done.
    Completed,
    /// The filler will not do it.
    Declined,
    /// The placer asked to stop; the filler did not answer yet.
    CancelRequested,
    /// It was stopped.
    Cancelled,
    /// The filler began, and could not do it.
    Failed,
    /// It should never have been.
    EnteredInError,
}

impl ReferralState {
    /// Every state, in the order in which a referral may go through them.
    pub const ALL: [Self; 16] = [
        Self::New,
        Self::UnderReview,
        Self::AwaitingInformation,
        Self::Accepted,
        Self::InProgress,
        Self::OnHold,
        Self::Scheduled,
        Self::NoShow,
        Self::AppointmentCancelled,
        Self::InterimNote,
        Self::Completed,
        Self::Declined,
        Self::CancelRequested,
        Self::Cancelled,
        Self::Failed,
        Self::EnteredInError,
    ];

    /// Its word: the code in settings, code maps and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::UnderReview => "under-review",
            Self::AwaitingInformation => "awaiting-information",
            Self::Accepted => "accepted",
            Self::InProgress => "in-progress",
            Self::OnHold => "on-hold",
            Self::Scheduled => "scheduled",
            Self::NoShow => "no-show",
            Self::AppointmentCancelled => "appointment-cancelled",
            Self::InterimNote => "interim-note",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::CancelRequested => "cancel-requested",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// The state of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the filler has not begun: a placer may still stop it by itself, where its guide lets it.
    pub const fn is_before_start(self) -> bool {
        matches!(self, Self::New | Self::UnderReview | Self::AwaitingInformation | Self::Accepted)
    }

    /// Whether nothing comes after it, but that it was an error.
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Declined | Self::Cancelled | Self::Failed | Self::EnteredInError
        )
    }
}

impl fmt::Display for ReferralState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who moves a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Who ordered.
    Placer,
    /// Who does it: the clinic.
    Filler,
}

impl Actor {
    const fn other(self) -> Self {
        match self {
            Self::Placer => Self::Filler,
            Self::Filler => Self::Placer,
        }
    }
}

/// Why a referral may not go from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("the referral is {0}, and does not come back from there")]
    Ended(ReferralState),
    /// Only the other side may do this.
    #[error("only the other side may make it {0}")]
    NotByThisSide(ReferralState),
    /// The guide does not go this way.
    #[error("the guide does not go from {from} to {to}")]
    NotThisWay {
        /// Where it stands.
        from: ReferralState,
        /// Where it should go.
        to: ReferralState,
    },
    /// It begins as new, and by the placer.
    #[error("a referral does not begin as {0}")]
    NotABeginning(ReferralState),
}

/// Which steps a guide allows to whom. It begins empty: what is not allowed is refused.
#[derive(Clone, Debug, Default)]
pub struct Transitions(BTreeSet<(Actor, ReferralState, ReferralState)>);

impl Transitions {
    /// Allows an actor every step from one of these states to one of those.
    pub fn allow(&mut self, by: Actor, from: &[ReferralState], to: &[ReferralState]) {
        self.0.extend(from.iter().flat_map(|from| to.iter().map(move |to| (by, *from, *to))));
    }

    /// Whether an actor may take a referral from one state to another. `from` is none before the placer has sent
    /// it. To stay where it is, is always allowed: the same may be said twice.
    pub fn judge(&self, by: Actor, from: Option<ReferralState>, to: ReferralState) -> Result<(), Refused> {
        let Some(from) = from else {
            let begins = by == Actor::Placer && to == ReferralState::New;
            return if begins { Ok(()) } else { Err(Refused::NotABeginning(to)) };
        };
        if from == to || self.0.contains(&(by, from, to)) {
            return Ok(());
        }
        if from.is_end() {
            return Err(Refused::Ended(from));
        }
        if self.0.contains(&(by.other(), from, to)) {
            return Err(Refused::NotByThisSide(to));
        }
        Err(Refused::NotThisWay { from, to })
    }

    /// Steps that lead out of an end to anything but an error: no guide has any.
    pub fn out_of_an_end(&self) -> Option<(ReferralState, ReferralState)> {
        let steps = self.0.iter().map(|(_, from, to)| (*from, *to));
        steps.into_iter().find(|(from, to)| from.is_end() && *to != ReferralState::EnteredInError)
    }
}

#[cfg(test)]
mod tests {
    use super::ReferralState::{Accepted, Cancelled, Completed, Declined, New, Scheduled};
    use super::*;

    fn transitions() -> Transitions {
        let mut it = Transitions::default();
        it.allow(Actor::Filler, &[New], &[Accepted, Declined]);
        it.allow(Actor::Placer, &[New, Accepted], &[Cancelled]);
        it
    }

    #[test]
    fn each_refusal_says_why() {
        let judge = |by, from, to| transitions().judge(by, from, to);

        assert_eq!(judge(Actor::Filler, Some(New), Accepted), Ok(()));
        assert_eq!(judge(Actor::Placer, None, New), Ok(()));
        assert_eq!(judge(Actor::Filler, None, New), Err(Refused::NotABeginning(New)));
        assert_eq!(judge(Actor::Placer, Some(New), Accepted), Err(Refused::NotByThisSide(Accepted)));
        assert_eq!(judge(Actor::Filler, Some(Cancelled), Accepted), Err(Refused::Ended(Cancelled)));
        let not_this_way = Refused::NotThisWay { from: New, to: Scheduled };
        assert_eq!(judge(Actor::Filler, Some(New), Scheduled), Err(not_this_way));
    }

    #[test]
    fn the_same_may_be_said_twice() {
        assert_eq!(transitions().judge(Actor::Filler, Some(Completed), Completed), Ok(()));
    }

    #[test]
    fn every_state_has_one_word() {
        for state in ReferralState::ALL {
            assert_eq!(ReferralState::of_word(state.word()), Some(state));
        }
    }

    #[test]
    fn a_step_out_of_an_end_is_found() {
        let mut it = transitions();
        assert_eq!(it.out_of_an_end(), None);
        it.allow(Actor::Filler, &[Completed], &[Accepted]);
        assert_eq!(it.out_of_an_end(), Some((Completed, Accepted)));
    }
}
