//! How much may run at the same time, begin in a second, and be a repeat.

use super::*;

#[test]
fn what_runs_counts_towards_what_may_run_at_once() {
    let mut server = Server::new();

    server.begin(30, 0);
    assert_eq!(server.allowance().in_all, 10);
    server.begin(10, 0);

    assert_eq!(server.allowance(), Allowance::nothing(None));
}

#[test]
fn a_limit_that_was_lowered_lets_nothing_begin_until_enough_ended() {
    let mut server = Server::new();
    server.begin(30, 0);
    server.limits.at_once = 4;

    assert_eq!(server.allowance().in_all, 0);
}

#[test]
fn a_rate_lets_one_seconds_worth_begin_at_once_and_then_evenly() {
    let mut server = Server::new();
    server.limits.per_second = 4;
    assert_eq!(server.allowance().in_all, 4);
    server.begin(4, 0);
    server.in_flight = 0;

    let allowance = server.allowance();

    assert_eq!(allowance.in_all, 0);
    let wait = allowance.ask_again.unwrap().duration_since(server.now);
    assert_eq!(wait.as_millis(), 250);
    server.now = allowance.ask_again.unwrap();
    assert_eq!(server.allowance().in_all, 1);
    assert_eq!(server.after(1).allowance().in_all, 4);
}

#[test]
fn retries_may_be_a_fifth_of_the_first_attempts_and_one_a_second() {
    let mut server = Server::new();
    server.limits.at_once = 1000;
    assert_eq!(server.allowance().retries, 60);
    server.begin(0, 60);
    server.in_flight = 0;

    let spent = server.allowance();
    assert_eq!((spent.in_all, spent.retries), (1000, 0));
    assert_eq!(seconds_from(server.now, spent.ask_again), Some(1));
    server.begin(10, 0);
    assert_eq!(server.allowance().retries, 2);

    assert_eq!(server.after(10).allowance().retries, 12);
    assert_eq!(server.after(1000).allowance().retries, 60);
}

#[test]
fn a_budget_that_fills_is_no_reason_to_ask_while_the_rate_lets_nothing_begin() {
    let mut server = Server::new();
    server.limits.per_second = 2;
    server.begin(0, 2);
    server.in_flight = 0;

    let allowance = server.after(-1).allowance();

    assert_eq!(allowance.in_all, 0);
    server.now = allowance.ask_again.unwrap();
    assert_eq!(server.allowance().in_all, 1);
}

#[test]
fn nothing_is_forgotten_over_a_restart() {
    let mut server = Server::down();
    server.state.pause("op", "maintenance", server.now);
    server.limits.per_second = 7;
    server.begin(3, 2);

    let kept = serde_json::to_string(&server.state).unwrap();
    let read: EndpointState = serde_json::from_str(&kept).unwrap();

    assert_eq!(read, server.state);
    assert_eq!(serde_json::from_str::<EndpointState>("{}").unwrap(), EndpointState::default());
}
