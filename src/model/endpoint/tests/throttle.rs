//! What a server asks for with `Retry-After`.

use std::time::Duration;

use super::*;

fn throttled(seconds: Option<u64>) -> AttemptEnd {
    AttemptEnd::Throttled { retry_after: seconds.map(Duration::from_secs) }
}

#[test]
fn the_whole_endpoint_waits_as_long_as_it_is_asked_to() {
    let mut server = Server::new();

    let change = server.attempt(&throttled(Some(120)));

    let until = wait::later(server.now, SignedDuration::from_secs(120));
    assert_eq!(change, Some(Change::Throttled { until }));
    assert_eq!(server.allowance(), Allowance::nothing(Some(until)));
    assert_eq!((server.word(), server.state.since(server.now)), ("throttled", Some(server.now)));
    assert_eq!(server.after(119).allowance().in_all, 0);
    assert_eq!(server.after(1).allowance().in_all, 40);
}

#[test]
fn a_wait_is_at_least_a_second_and_at_most_six_hours() {
    for (asked, granted) in [(0, 1), (3600, 3600), (6 * 3600, 6 * 3600), (u64::MAX, 6 * 3600)] {
        let mut server = Server::new();

        server.attempt(&throttled(Some(asked)));

        assert_eq!(seconds_from(server.now, server.state.until(server.now)), Some(granted));
    }
}

#[test]
fn a_server_that_does_not_say_how_long_gets_more_each_time() {
    let mut server = Server::new();
    let mut waits = Vec::new();
    for _ in 0..8 {
        server.attempt(&throttled(None));
        let wait = seconds_from(server.now, server.state.until(server.now)).unwrap();
        waits.push(wait);
        server.after(wait);
    }
    server.attempt(&AttemptEnd::Answered);
    server.attempt(&throttled(None));

    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    assert_eq!(seconds_from(server.now, server.state.until(server.now)), Some(5));
}

#[test]
fn the_longer_of_two_waits_counts_and_only_the_first_is_told() {
    let mut server = Server::new();
    server.begin(3, 0);

    assert!(server.end(&throttled(Some(100))).is_some());
    assert_eq!(server.end(&throttled(Some(10))), None);
    assert_eq!(seconds_from(server.now, server.state.until(server.now)), Some(100));
    assert_eq!(server.end(&throttled(Some(300))), None);

    assert_eq!(seconds_from(server.now, server.state.until(server.now)), Some(300));
}

#[test]
fn a_probe_that_is_asked_to_wait_is_followed_by_another_after_that() {
    let mut server = Server::down();

    server.after(30).attempt(&throttled(Some(120)));

    assert_eq!((server.word(), server.allowance().in_all), ("open", 0));
    assert_eq!(server.after(120).allowance().in_all, 1);
}

#[test]
fn asking_for_time_is_no_failure() {
    let mut server = Server::new();
    for _ in 0..50 {
        server.after(5).attempt(&throttled(Some(1)));
    }

    assert_eq!(server.after(5).word(), "ready");
}
