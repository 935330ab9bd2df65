//! What becomes of a delivery whose attempt failed, and what that tells of the server (reference: delivery B7).
//! Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::fhir::client::failure::{Class, Failure};
use crate::model::delivery::{Cause, Delivery, RetrySchedule};
use crate::model::endpoint::{AttemptEnd, Opening};
use crate::model::sensitive::Sensitive;
use crate::model::work::{Effect, Ended, Settlement};

/// How often somebody else may have been quicker before a person must look.
const CONFLICTS: u32 = 3;

/// The server cannot do it in this way.
const NOT_SUPPORTED: &str = "not-supported";

/// What the client says of a type that a server does not name.
const TYPE_NOT_KEPT: &str = "type-not-kept";

/// The least wait after a server said that it has no room (507).
const SLOWLY: Duration = Duration::from_hours(1);

/// Under which terms one failure is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// When to try again.
    pub(super) schedule: RetrySchedule,
    /// How long an effect is left alone whose outcome is unknown.
    pub(super) quiet_period: Duration,
    /// The time.
    pub(super) now: Timestamp,
    /// Between 0 and 1.
    pub(super) random: f64,
    /// The server fails at this message each time, and at others it does not.
    pub(super) poison: bool,
}

/// Whether and when to try again. Time is the limit, not the number of attempts.
pub(super) fn judge(delivery: &Delivery, failure: &Failure, terms: &Terms) -> Ended {
    let code = if failure.class() == Class::NotSupported && failure.code() == "status" {
        NOT_SUPPORTED
    } else {
        failure.code()
    };
    let cause = Cause { code, http_status: failure.status() };
    let end = end_of(delivery, failure);
    let over = terms.now.duration_since(delivery.since).unsigned_abs() >= terms.schedule.deadline;
    let settlement = match verdict(delivery, failure, terms) {
        Verdict::Dead(code) => Settlement::Dead(Cause { code: code.unwrap_or(cause.code), ..cause }),
        _ if over => Settlement::Dead(cause),
        Verdict::Again { counted, at_least } => {
            let effect = if failure.may_have_happened() { Effect::Unknown } else { Effect::None };
            let failures = if counted { delivery.attempts + 1 } else { 1 };
            let wait = terms.schedule.wait(failures, failure.retry_after(), terms.random).max(at_least);
            let wait = if effect == Effect::Unknown { wait.max(terms.quiet_period) } else { wait };
            let at = terms.now.saturating_add(wait).unwrap_or(terms.now);
            Settlement::Retry {
                cause,
                at,
                counted,
                placed: placed(failure),
                told_at: told_at(delivery, failure),
                effect,
            }
        }
    };
    Ended { settlement, end, random: terms.random }
}

fn placed(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Unverified { placed } => placed.clone(),
        _ => None,
    }
}

/// Where to ask next. A failure that says nothing of it leaves it as it was, so that nothing is sent again before
/// the server has told what became of it.
fn told_at(delivery: &Delivery, failure: &Failure) -> Option<Sensitive<String>> {
    match failure {
        Failure::Pending { told_at, .. } => Some(Sensitive::new(told_at.clone())),
        _ => delivery.told_at.clone(),
    }
}

/// What a settlement that a road came to by itself tells of the server.
pub(super) const fn end_of_settled(settlement: &Settlement) -> AttemptEnd {
    match settlement {
        Settlement::Forwarded(_) | Settlement::Written { .. } | Settlement::Delivered { .. } => {
            AttemptEnd::Answered
        }
        _ => AttemptEnd::Untouched,
    }
}

enum Verdict {
    /// A person must look; with another code than the failure's.
    Dead(Option<&'static str>),
    Again {
        counted: bool,
        at_least: Duration,
    },
}

fn verdict(delivery: &Delivery, failure: &Failure, terms: &Terms) -> Verdict {
    let again = |counted| Verdict::Again { counted, at_least: Duration::ZERO };
    match failure.class() {
        Class::Lasting | Class::Forbidden => Verdict::Dead(None),
        Class::Failing if terms.poison => Verdict::Dead(Some("poison")),
        Class::Conflict if delivery.attempts >= CONFLICTS => Verdict::Dead(Some("conflict")),
        // What the server says that it offers is read again before the second try.
        Class::NotSupported if was_not_supported(delivery) => Verdict::Dead(Some(NOT_SUPPORTED)),
        Class::PassingSlowly => Verdict::Again { counted: true, at_least: SLOWLY },
        Class::Ours | Class::Passing | Class::Failing | Class::Conflict | Class::NotSupported => again(true),
        Class::NotReached
        | Class::Throttled
        | Class::Credentials
        | Class::Certificate
        | Class::Configuration => again(false),
    }
}

/// The server did not take it in the way that it said, and its CapabilityStatement was read anew since.
fn was_not_supported(delivery: &Delivery) -> bool {
    matches!(delivery.reason.as_deref(), Some(NOT_SUPPORTED | TYPE_NOT_KEPT))
}

fn end_of(delivery: &Delivery, failure: &Failure) -> AttemptEnd {
    match failure.class() {
        Class::Ours => AttemptEnd::Untouched,
        Class::NotReached => AttemptEnd::NotSent,
        Class::Failing => AttemptEnd::Failed,
        Class::Throttled => AttemptEnd::Throttled { retry_after: failure.retry_after() },
        Class::Credentials => AttemptEnd::Barred(Opening::Auth),
        Class::Certificate => AttemptEnd::Barred(Opening::Tls),
        Class::Configuration => AttemptEnd::Barred(Opening::Configuration),
        Class::Forbidden => AttemptEnd::Forbidden { lane: delivery.referral },
        Class::NotSupported if was_not_supported(delivery) => {
            AttemptEnd::NotOffered { kind: delivery.kind() }
        }
        Class::Passing | Class::PassingSlowly | Class::Conflict | Class::NotSupported | Class::Lasting => {
            AttemptEnd::Answered
        }
    }
}
