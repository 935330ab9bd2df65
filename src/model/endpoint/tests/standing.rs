//! What operators say and are told, and clocks that jump.

use super::*;

#[test]
fn a_paused_server_gets_nothing_until_it_is_resumed_and_then_little() {
    let mut server = Server::new();
    let since = server.now;

    server.state.pause("dana", "their upgrade", server.now);
    server.after(86400 * 30);
    assert_eq!(server.allowance(), Allowance::nothing(None));
    assert_eq!((server.word(), server.state.since(server.now)), ("paused", Some(since)));
    let pause = server.state.paused().unwrap();
    assert_eq!((pause.by.as_str(), pause.why.as_str()), ("dana", "their upgrade"));
    server.state.resume(server.now);

    assert_eq!((server.word(), server.allowance().in_all), ("recovering", 2));
    assert_eq!(server.state.paused(), None);
}

#[test]
fn resuming_lets_a_server_that_is_down_or_asked_for_time_be_tried_at_once() {
    let mut down = Server::down();
    down.state.resume(down.now);
    assert_eq!(down.allowance().in_all, 1);

    let mut throttled = Server::new();
    throttled.attempt(&AttemptEnd::Throttled { retry_after: Some(std::time::Duration::from_hours(6)) });
    throttled.state.resume(throttled.now);
    assert_eq!(throttled.allowance().in_all, 2);
}

#[test]
fn what_ends_while_it_is_paused_counts() {
    let mut server = Server::new();
    server.begin(5, 0);
    server.state.pause("dana", "", server.now);
    for _ in 0..5 {
        server.end(&AttemptEnd::Failed);
    }
    server.state.resume(server.now);

    assert_eq!(server.state.why(), Some(Opening::Failing));
}

#[test]
fn a_server_of_which_nothing_is_known_is_ready() {
    let server = Server::new();

    assert_eq!((server.word(), server.state.why()), ("ready", None));
    assert_eq!((server.state.since(server.now), server.state.until(server.now)), (None, None));
    assert_eq!(server.allowance().in_all, 40);
}

#[test]
fn a_clock_that_is_set_back_freezes_nothing() {
    for back in [120, 3600, 86400 * 3650] {
        let mut open = Server::down();
        assert_eq!(open.after(-back).allowance().in_all, 1, "open, {back} s back");

        let mut throttled = Server::new();
        throttled.attempt(&AttemptEnd::Throttled { retry_after: Some(std::time::Duration::from_hours(6)) });
        assert_eq!(throttled.after(-back).allowance().in_all, 40, "throttled, {back} s back");

        let mut limited = Server::new();
        limited.limits.per_second = 1;
        limited.attempt(&AttemptEnd::Answered);
        assert_eq!(limited.after(-back).allowance().in_all, 1, "limited, {back} s back");
        assert_eq!(limited.word(), "ready");
    }
}

#[test]
fn a_clock_that_slips_back_a_little_lengthens_a_wait_by_as_much() {
    let mut server = Server::down();

    let allowance = server.after(-20).allowance();

    assert_eq!(seconds_from(server.now, allowance.ask_again), Some(50));
}

#[test]
fn a_clock_that_was_years_ahead_for_a_moment_freezes_nothing() {
    let mut server = Server::new();
    server.limits.per_second = 1;
    server.after(86400 * 3650).attempt(&AttemptEnd::Answered);
    for _ in 0..5 {
        server.attempt(&AttemptEnd::Failed);
    }
    server.after(-86400 * 3650);

    assert_eq!(server.allowance().in_all, 1);
    server.attempt(&AttemptEnd::Answered);
    assert_eq!(server.after(1).allowance().in_all, 1);
}
