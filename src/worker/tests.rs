//! The table of B7, row by row.

use jiff::ToSpan as _;

use super::judge::{Terms, end_of_settled, judge};
use super::*;
use crate::fhir::client::failure::{Refused, Says, Target};
use crate::fhir::client::token::TokenError;
use crate::fhir::message::Response;
use crate::model::delivery::{Cause, DeliveryState};
use crate::model::endpoint::{AttemptEnd, Opening};
use crate::model::ids::{DeliveryId, PartnerId, ReferralId};
use crate::model::partner::Share;
use crate::model::sensitive::Sensitive;
use crate::model::update::{ResourceVersion, Update};
use crate::model::work::Effect;

use self::Fate::{Again, AgainUncounted, Dead};

const NOW: Timestamp = Timestamp::constant(1_773_154_800, 0);
const SCHEDULE: RetrySchedule =
    RetrySchedule { first: Duration::from_secs(5), deadline: Duration::from_hours(72) };

fn delivery(attempts: u32) -> Delivery {
    Delivery {
        id: DeliveryId::new(NOW),
        referral: ReferralId::new(Timestamp::UNIX_EPOCH),
        partner: PartnerId::new("lakeside"),
        task: Owed::Forward,
        state: DeliveryState::InFlight,
        attempts,
        effect_unknown: false,
        created: NOW,
        since: NOW,
        due: NOW,
        remote: None,
        placed: None,
        told_at: None,
        server_errors: 0,
        server_errors_since: None,
        reason: None,
    }
}

const fn terms() -> Terms {
    let quiet_period = Duration::from_mins(1);
    Terms { schedule: SCHEDULE, quiet_period, now: NOW, random: 0.5, poison: false }
}

/// A write that was answered like this.
fn status(status: u16) -> Refused {
    Refused {
        status,
        target: Target::Resource,
        retry_after: None,
        says: Says::Nothing,
        may_have_happened: true,
        sent_bytes: 100,
    }
}

fn not_found(target: Target) -> Failure {
    Failure::Status(Refused { target, says: Says::NotFound, ..status(404) })
}

const fn replied(response: Response) -> Failure {
    Failure::Replied { response, status: 200 }
}

fn to(target: Target, number: u16) -> Failure {
    Failure::Status(Refused { target, ..status(number) })
}

fn asks_for(number: u16, seconds: u64) -> Failure {
    Failure::Status(Refused { retry_after: Some(Duration::from_secs(seconds)), ..status(number) })
}

fn transient(number: u16) -> Failure {
    Failure::Status(Refused { says: Says::Transient, ..status(number) })
}

/// What becomes of a delivery at its first failure. The number: seconds until the next try.
#[derive(Debug, PartialEq)]
enum Fate {
    /// A failure of the message.
    Again(i64, Effect),
    /// A matter of the server.
    AgainUncounted(i64, Effect),
    Dead,
}

fn fate(ended: &Ended) -> Fate {
    match &ended.settlement {
        Settlement::Dead(_) => Dead,
        Settlement::Retry { at, counted: true, effect, .. } => {
            Again(at.duration_since(NOW).as_secs(), *effect)
        }
        Settlement::Retry { at, counted: false, effect, .. } => {
            AgainUncounted(at.duration_since(NOW).as_secs(), *effect)
        }
        other => panic!("a failure does not lead to {other:?}"),
    }
}

#[test]
fn every_failure_has_the_consequence_of_its_row() {
    use AttemptEnd::{Answered, Barred, Failed, NotSent, Throttled, Untouched};
    use Effect::{None as Nothing, Unknown};
    let delivery = delivery(0);
    let lane = delivery.referral;
    let minute = Some(Duration::from_mins(1));
    let rows: Vec<(Failure, Fate, AttemptEnd)> = vec![
        // Not sent: on our side, at the source, at the server, at its token endpoint.
        (Failure::NotSent("ledger-unavailable"), Again(5, Nothing), Untouched),
        (Failure::AtSource { code: "status", status: Some(503) }, Again(5, Nothing), Untouched),
        (Failure::NotReached("not-connected"), AgainUncounted(5, Nothing), NotSent),
        (Failure::Token(TokenError::Unavailable), AgainUncounted(5, Nothing), NotSent),
        (Failure::Token(TokenError::Refused("x".into())), AgainUncounted(5, Nothing), Barred(Opening::Auth)),
        (Failure::Certificate, AgainUncounted(5, Nothing), Barred(Opening::Tls)),
        (Failure::NoWay, AgainUncounted(5, Nothing), Barred(Opening::Configuration)),
        // 2xx that cannot be used, 202, and no complete answer.
        (Failure::Unusable { what: "accepted-only", may_have_happened: true }, Again(60, Unknown), Failed),
        (Failure::NoAnswer { what: "timeout", may_have_happened: true }, Again(60, Unknown), Failed),
        (Failure::NoAnswer { what: "timeout", may_have_happened: false }, Again(5, Nothing), Failed),
        // 3xx.
        (to(Target::Resource, 301), AgainUncounted(5, Nothing), Barred(Opening::Configuration)),
        (to(Target::Base, 308), AgainUncounted(5, Nothing), Barred(Opening::Configuration)),
        // 4xx.
        (to(Target::Base, 400), Dead, Answered),
        (to(Target::Base, 422), Dead, Answered),
        (transient(400), Again(5, Nothing), Answered),
        (transient(422), Again(5, Nothing), Answered),
        (to(Target::Base, 401), AgainUncounted(5, Nothing), Barred(Opening::Auth)),
        (to(Target::Base, 403), Dead, AttemptEnd::Forbidden { lane }),
        (transient(403), Dead, AttemptEnd::Forbidden { lane }),
        (to(Target::Base, 404), AgainUncounted(5, Nothing), Barred(Opening::Configuration)),
        (to(Target::Type, 404), Again(5, Nothing), Answered),
        (to(Target::Message, 404), AgainUncounted(5, Nothing), Barred(Opening::Configuration)),
        (not_found(Target::Message), Dead, Answered),
        (replied(Response::TransientError), Again(5, Nothing), Answered),
        (replied(Response::FatalError), Dead, Answered),
        (to(Target::Resource, 404), Dead, Answered),
        (to(Target::Type, 405), Again(5, Nothing), Answered),
        (to(Target::Type, 406), Again(5, Nothing), Answered),
        (to(Target::Type, 408), Again(60, Unknown), Answered),
        (to(Target::Type, 409), Again(5, Nothing), Answered),
        (to(Target::Type, 410), Dead, Answered),
        (to(Target::Type, 412), Again(5, Nothing), Answered),
        (to(Target::Type, 413), Dead, Answered),
        (to(Target::Type, 415), Again(5, Nothing), Answered),
        (to(Target::Type, 418), Dead, Answered),
        (to(Target::Type, 421), Again(5, Nothing), Answered),
        (to(Target::Type, 423), Again(5, Nothing), Answered),
        (to(Target::Type, 425), Again(5, Nothing), Answered),
        (to(Target::Type, 428), Again(5, Nothing), Answered),
        (to(Target::Type, 429), AgainUncounted(5, Nothing), Throttled { retry_after: None }),
        (asks_for(429, 60), AgainUncounted(60, Nothing), Throttled { retry_after: minute }),
        // 5xx.
        (to(Target::Base, 500), Again(60, Unknown), Failed),
        (to(Target::Base, 501), Again(5, Nothing), Answered),
        (to(Target::Base, 502), Again(60, Unknown), Failed),
        (to(Target::Base, 503), Again(60, Unknown), Failed),
        (asks_for(503, 60), AgainUncounted(60, Unknown), Throttled { retry_after: minute }),
        (to(Target::Base, 504), Again(60, Unknown), Failed),
        (to(Target::Base, 507), Again(3600, Nothing), Answered),
        (to(Target::Base, 520), Again(60, Unknown), Failed),
    ];
    for (failure, expected, end) in rows {
        let ended = judge(&delivery, &failure, &terms());

        assert_eq!((fate(&ended), ended.end), (expected, end), "{failure:?}");
    }
}

#[test]
fn a_wait_that_is_asked_for_is_kept_up_to_six_hours() {
    let wait = |seconds| fate(&judge(&delivery(0), &asks_for(429, seconds), &terms()));

    assert_eq!(wait(7200), AgainUncounted(7200, Effect::None));
    assert_eq!(wait(315_360_000), AgainUncounted(21600, Effect::None));
}

#[test]
fn what_is_the_servers_matter_does_not_lengthen_a_messages_waits() {
    let failure = Failure::NotReached("not-connected");

    assert_eq!(fate(&judge(&delivery(7), &failure, &terms())), AgainUncounted(5, Effect::None));
    let passing = to(Target::Type, 423);
    assert_eq!(fate(&judge(&delivery(7), &passing, &terms())), Again(14400, Effect::None));
}

#[test]
fn a_conflict_is_tried_three_times_more() {
    for (number, tries, code) in [(409, 3, "conflict"), (412, 3, "conflict")] {
        let failure = to(Target::Type, number);
        for attempts in 0..tries {
            assert!(matches!(fate(&judge(&delivery(attempts), &failure, &terms())), Again(..)));
        }
        let ended = judge(&delivery(tries), &failure, &terms());

        let cause = Cause { code, http_status: Some(number) };
        assert!(matches!(ended.settlement, Settlement::Dead(dead) if dead == cause), "{number}");
    }
}

#[test]
fn what_is_not_supported_is_tried_once_more_and_then_suspends_its_kind() {
    let failure = to(Target::Type, 405);
    let failed_otherwise = Delivery { reason: Some("status".into()), ..delivery(3) };
    let first = judge(&failed_otherwise, &failure, &terms());
    let second = Delivery { reason: Some("not-supported".into()), ..delivery(4) };

    let ended = judge(&second, &failure, &terms());

    assert!(matches!(first.settlement, Settlement::Retry { cause, .. } if cause.code == "not-supported"));
    assert_eq!(first.end, AttemptEnd::Answered);
    let cause = Cause { code: "not-supported", http_status: Some(405) };
    assert!(matches!(ended.settlement, Settlement::Dead(dead) if dead == cause));
    assert_eq!(ended.end, AttemptEnd::NotOffered { kind: "forward".into() });
    assert!(matches!(judge(&second, &Failure::UnknownType, &terms()).settlement, Settlement::Dead(_)));
}

#[test]
fn time_ends_every_wait() {
    let late = Terms { now: NOW + 72.hours(), ..terms() };
    for failure in [to(Target::Base, 503), asks_for(429, 60), Failure::Certificate, Failure::NotSent("x")] {
        let ended = judge(&delivery(0), &failure, &late);

        assert_eq!(fate(&ended), Dead, "{failure:?}");
        assert!(matches!(fate(&judge(&delivery(0), &failure, &terms())), Again(..) | AgainUncounted(..)));
    }
}

#[test]
fn poison_is_dead_under_its_own_name() {
    let poisoned = Terms { poison: true, ..terms() };

    let ended = judge(&delivery(4), &to(Target::Base, 500), &poisoned);

    let cause = Cause { code: "poison", http_status: Some(500) };
    assert!(matches!(ended.settlement, Settlement::Dead(dead) if dead == cause));
}

/// A message that its server answered 500 so many times in a row, for a minute.
fn failed(times: u32) -> Delivery {
    let since = (times > 0).then(|| NOW - 1.minute());
    Delivery { server_errors: times, server_errors_since: since, ..delivery(times) }
}

#[test]
fn five_server_errors_in_a_row_are_poison_where_the_server_takes_other_messages() {
    let suspects = Suspects::default();
    suspects.note(&delivery(0), Outcome::Taken, NOW);

    for times in 0..4 {
        assert!(!suspects.note(&failed(times), Outcome::ServerError, NOW), "{times}");
    }
    assert!(!suspects.note(&failed(4), Outcome::Other, NOW));
    assert!(suspects.note(&failed(4), Outcome::ServerError, NOW));
}

#[test]
fn server_errors_are_no_poison_where_the_server_took_nothing_since_they_began() {
    let suspects = Suspects::default();
    suspects.note(&delivery(0), Outcome::Taken, NOW - 2.minutes());

    assert!(!suspects.note(&failed(20), Outcome::ServerError, NOW));
}

#[test]
fn what_another_server_took_says_nothing() {
    let suspects = Suspects::default();
    let resource = ResourceVersion { resource_type: "Task".into(), id: "1".into(), version: "1".into() };
    let update = Update { referral: failed(4).referral, resource, share: Share::ReferralStatus };
    suspects.note(&Delivery { task: Owed::Deliver(update), ..delivery(0) }, Outcome::Taken, NOW);

    assert!(!suspects.note(&failed(4), Outcome::ServerError, NOW));
}

#[test]
fn where_a_server_tells_what_became_of_a_message_is_kept_until_it_is_known() {
    let address = || Some(Sensitive::new("https://lakeside.example/jobs/7".to_owned()));
    let pending = Failure::Pending {
        told_at: "https://lakeside.example/jobs/7".to_owned(),
        retry_after: Some(Duration::from_mins(2)),
    };

    let accepted = judge(&delivery(0), &pending, &terms());
    let unreachable =
        judge(&Delivery { told_at: address(), ..delivery(1) }, &Failure::NotReached("x"), &terms());

    assert_eq!(fate(&accepted), Again(120, Effect::Unknown));
    assert_eq!(accepted.end, AttemptEnd::Answered, "a server that accepts works");
    assert_eq!(accepted.settlement.told_at(), address().as_ref());
    assert_eq!(unreachable.settlement.told_at(), address().as_ref());
}

#[test]
fn what_consent_holds_says_nothing_of_the_server() {
    let settlement = Settlement::Superseded;

    assert_eq!(end_of_settled(&settlement), AttemptEnd::Untouched);
}
