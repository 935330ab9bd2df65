//! When a server is left alone, how it is probed, and how it comes back.

use super::*;

#[test]
fn five_failures_in_a_row_open_it_and_an_answer_in_between_does_not() {
    let mut server = Server::new();
    for _ in 0..4 {
        assert_eq!(server.attempt(&AttemptEnd::NotSent), None);
    }
    server.attempt(&AttemptEnd::Answered);
    for _ in 0..4 {
        assert_eq!(server.attempt(&AttemptEnd::NotSent), None);
    }

    let change = server.attempt(&AttemptEnd::NotSent);

    let probe_at = wait::later(server.now, SignedDuration::from_secs(30));
    assert_eq!(change, Some(Change::Opened { why: Opening::Unreachable, probe_at }));
    assert_eq!((server.word(), server.state.why()), ("open", Some(Opening::Unreachable)));
    assert_eq!(server.allowance(), Allowance::nothing(Some(probe_at)));
}

#[test]
fn half_of_twenty_attempts_within_a_minute_open_it() {
    let mut server = Server::new();
    let mut opened = Vec::new();
    for number in 0..20 {
        let end = if number % 2 == 0 { AttemptEnd::Answered } else { AttemptEnd::Failed };
        opened.push(server.after(2).attempt(&end).is_some());
    }

    assert_eq!(opened.iter().position(|it| *it), Some(19));
    assert_eq!(server.state.why(), Some(Opening::Failing));
}

#[test]
fn failures_that_lie_a_minute_back_or_are_less_than_half_do_not_count() {
    let mut server = Server::new();
    for number in 0..200 {
        let end = if number % 2 == 0 { AttemptEnd::Answered } else { AttemptEnd::Failed };
        assert_eq!(server.after(4).attempt(&end), None);
    }
    server.after(60);
    for number in 0..200 {
        let end = if number % 5 < 3 { AttemptEnd::Answered } else { AttemptEnd::Failed };
        assert_eq!(server.attempt(&end), None);
    }
}

#[test]
fn after_the_wait_one_probe_may_go_and_no_more_while_it_runs() {
    let mut server = Server::down();

    assert_eq!(server.after(29).allowance().in_all, 0);
    assert_eq!(server.after(1).allowance(), Allowance { in_all: 1, retries: 1, ask_again: None });
    server.begin(0, 1);

    assert_eq!(server.allowance(), Allowance::nothing(None));
    assert_eq!(server.word(), "probing");
}

#[test]
fn waits_double_up_to_a_quarter_of_an_hour() {
    let mut server = Server::down();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let wait = seconds_from(server.now, server.state.until(server.now)).unwrap();
        waits.push(wait);
        server.after(wait).attempt(&AttemptEnd::NotSent);
    }

    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
}

#[test]
fn waits_differ_by_a_quarter_so_that_servers_are_not_asked_together() {
    let wait = |random| {
        let mut server = Server::new();
        for _ in 0..5 {
            server.state.ended(&AttemptEnd::Failed, server.now, random);
        }
        let until = server.state.until(server.now).unwrap();
        until.duration_since(server.now).as_millis()
    };

    assert_eq!([wait(0.0), wait(1.0), wait(f64::NAN)], [22_500, 37_500, 30_000]);
}

#[test]
fn a_probe_that_is_answered_closes_it_and_what_began_before_does_not() {
    let mut server = Server::new();
    server.begin(7, 0);
    for _ in 0..5 {
        server.end(&AttemptEnd::Failed);
    }
    assert_eq!(server.end(&AttemptEnd::Answered), None);
    assert_eq!(server.end(&AttemptEnd::Failed), None);
    assert_eq!(server.word(), "open");
    let since = server.now;

    let change = server.after(30).attempt(&AttemptEnd::Answered);

    assert_eq!(change, Some(Change::Closed { why: Opening::Failing, since }));
    assert_eq!((server.word(), server.state.why()), ("recovering", None));
}

#[test]
fn a_probe_that_did_not_reach_the_server_is_followed_by_another() {
    let mut server = Server::down();

    server.after(30).attempt(&AttemptEnd::Untouched);

    assert_eq!((server.word(), server.allowance().in_all), ("open", 1));
}

#[test]
fn a_server_that_came_back_gets_little_at_first_and_all_after_five_minutes() {
    let mut server = Server::down();
    server.after(30).attempt(&AttemptEnd::Answered);
    let mut allowed = Vec::new();
    for seconds in [0, 59, 1, 239, 1] {
        allowed.push(server.after(seconds).allowance().in_all);
    }

    assert_eq!(allowed, [2, 2, 10, 10, 40]);
    assert_eq!(server.word(), "ready");
}

#[test]
fn a_server_that_came_back_gets_at_least_one_attempt_and_is_looked_at_again() {
    let mut server = Server::down();
    server.limits.at_once = 1;
    server.after(30).attempt(&AttemptEnd::Answered);

    let allowance = server.allowance();

    assert_eq!(allowance.in_all, 1);
    assert_eq!(seconds_from(server.now, allowance.ask_again), Some(60));
}

#[test]
fn after_a_day_it_is_suspended_once_and_still_probed() {
    let mut server = Server::down();
    let since = server.now;
    let mut changes = Vec::new();
    while server.now < wait::later(since, SignedDuration::from_hours(26)) {
        let wait = seconds_from(server.now, server.state.until(server.now)).unwrap();
        changes.extend(server.after(wait).attempt(&AttemptEnd::NotSent));
    }

    assert_eq!(changes, [Change::Suspended { why: Opening::Unreachable, since }]);
    assert_eq!((server.word(), server.state.since(server.now)), ("suspended", Some(since)));
    assert_eq!(server.after(900).allowance().in_all, 1);
    server.attempt(&AttemptEnd::Answered);
    assert_eq!(server.word(), "recovering");
}

#[test]
fn what_bars_every_message_opens_it_at_once() {
    for why in [Opening::Auth, Opening::Tls, Opening::Configuration] {
        let mut server = Server::new();

        server.attempt(&AttemptEnd::Barred(why));
        assert_eq!((server.word(), server.state.why()), ("open", Some(why)));
        server.after(30).attempt(&AttemptEnd::Barred(why));

        assert_eq!(seconds_from(server.now, server.state.until(server.now)), Some(60));
    }
}

#[test]
fn a_refusal_of_three_lanes_within_ten_minutes_opens_it() {
    let mut server = Server::new();
    for seconds in [0, 300] {
        assert_eq!(server.after(seconds).attempt(&lane(seconds)), None);
        assert_eq!(server.attempt(&lane(seconds)), None);
    }

    server.after(299).attempt(&lane(1));

    assert_eq!(server.state.why(), Some(Opening::Forbidden));
    server.after(30).attempt(&lane(2));
    assert_eq!(server.state.why(), Some(Opening::Forbidden));
    server.after(60).attempt(&AttemptEnd::Answered);
    assert_eq!(server.word(), "recovering");
}

#[test]
fn refusals_of_lanes_over_more_than_ten_minutes_do_not() {
    let mut server = Server::new();
    for number in 0..20 {
        assert_eq!(server.after(301).attempt(&lane(number)), None);
    }
}

#[test]
fn a_refused_message_shows_that_a_server_that_was_down_is_back() {
    let mut server = Server::down();

    let change = server.after(30).attempt(&lane(1));

    assert!(matches!(change, Some(Change::Closed { .. })));
}
