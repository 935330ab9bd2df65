//! What holds whatever happens to a server.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Time goes on, or back.
    Pass(i64),
    /// As much begins as may: this much of it retries, in per cent.
    Begin(u32),
    End(AttemptEnd),
    Pause,
    Resume,
    Restart,
}

fn end() -> impl Strategy<Value = AttemptEnd> {
    let barred = prop_oneof![Just(Opening::Auth), Just(Opening::Tls), Just(Opening::Configuration)];
    let retry_after = proptest::option::of(0_u64..100_000).prop_map(|it| it.map(Duration::from_secs));
    prop_oneof![
        1 => Just(AttemptEnd::Untouched),
        4 => Just(AttemptEnd::Answered),
        2 => Just(AttemptEnd::NotSent),
        4 => Just(AttemptEnd::Failed),
        1 => retry_after.prop_map(|retry_after| AttemptEnd::Throttled { retry_after }),
        1 => barred.prop_map(AttemptEnd::Barred),
        1 => (0_i64..5).prop_map(lane),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_i64..120).prop_map(Step::Pass),
        1 => (-100_000_i64..100_000).prop_map(Step::Pass),
        6 => (0_u32..=100).prop_map(Step::Begin),
        8 => end().prop_map(Step::End),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => Just(Step::Restart),
    ]
}

fn limits() -> impl Strategy<Value = EndpointLimits> {
    (1_u32..50, 0_u32..20).prop_map(|(at_once, per_second)| EndpointLimits { at_once, per_second })
}

/// Begins as much as may. Returns how many first attempts and retries that were.
fn begin(server: &mut Server, retries: u32) -> (u32, u32) {
    let allowance = server.allowance();
    let retries = allowance.retries.min(allowance.in_all * retries / 100);
    let first = allowance.in_all - retries;
    server.begin(first, retries);
    (first, retries)
}

fn restart(server: &mut Server) {
    let kept = serde_json::to_string(&server.state).unwrap();
    server.state = serde_json::from_str(&kept).unwrap();
}

fn take(server: &mut Server, step: &Step) {
    match step {
        Step::Pass(seconds) => {
            server.after(*seconds);
        }
        Step::Begin(retries) => {
            begin(server, *retries);
        }
        Step::End(end) if server.in_flight > 0 => {
            server.end(end);
        }
        Step::End(_) => {}
        Step::Pause => server.state.pause("dana", "", server.now),
        Step::Resume => server.state.resume(server.now),
        Step::Restart => restart(server),
    }
}

proptest! {
    #[test]
    fn an_allowance_stays_within_every_limit(limits in limits(), steps in prop::collection::vec(step(), 1..120)) {
        let mut server = Server { limits, ..Server::new() };
        for step in steps {
            take(&mut server, &step);
            let allowance = server.allowance();

            prop_assert!(allowance.retries <= allowance.in_all);
            prop_assert!(server.in_flight + allowance.in_all <= limits.at_once.max(server.in_flight));
            prop_assert!(limits.per_second == 0 || allowance.in_all <= limits.per_second);
            prop_assert!(allowance.ask_again.is_none_or(|it| it > server.now));
            if server.state.why().is_some() {
                prop_assert!(server.in_flight + allowance.in_all <= 1.max(server.in_flight));
            }
            if server.state.paused().is_some() {
                prop_assert_eq!(allowance, Allowance::nothing(None));
            }
        }
    }

    #[test]
    fn while_it_is_open_one_probe_runs_at_a_time(steps in prop::collection::vec(step(), 1..120)) {
        let mut server = Server::down();
        for step in steps {
            let open = server.state.why().is_some();
            let before = server.in_flight;
            take(&mut server, &step);
            if open && server.state.why().is_some() && server.in_flight > before {
                prop_assert_eq!((before, server.in_flight), (0, 1));
            }
        }
    }

    #[test]
    fn when_the_fault_ends_it_is_used_as_before(limits in limits(), steps in prop::collection::vec(step(), 1..120)) {
        let mut server = Server { limits, ..Server::new() };
        for step in &steps {
            take(&mut server, step);
        }
        while server.in_flight > 0 {
            server.end(&AttemptEnd::Answered);
        }
        if server.state.paused().is_some() {
            server.state.resume(server.now);
        }
        // Nothing may keep it longer than the longest Retry-After, one wait of the circuit and the ramp.
        let patience = wait::later(server.now, SignedDuration::from_secs(6 * 3600 + 60 + 1125 + 60 + 300));
        while server.word() != "ready" {
            prop_assert!(server.now <= patience, "still {}", server.word());
            begin(&mut server, 50);
            while server.in_flight > 0 {
                server.end(&AttemptEnd::Answered);
            }
            server.after(1);
        }
    }

    #[test]
    fn a_server_waits_for_a_moment_that_comes(limits in limits(), steps in prop::collection::vec(step(), 1..120)) {
        let mut server = Server { limits, ..Server::new() };
        for step in &steps {
            take(&mut server, step);
        }
        server.in_flight = 0;
        server.state.resume(server.now);
        let allowance = server.allowance();
        if allowance.in_all == 0 {
            server.now = allowance.ask_again.unwrap();
            prop_assert!(server.allowance().in_all > 0);
        }
    }

    #[test]
    fn retries_stay_within_their_budget(steps in prop::collection::vec((0_i64..5, 0_u32..=100), 1..200)) {
        let mut server = Server { limits: EndpointLimits { at_once: 100, per_second: 0 }, ..Server::new() };
        let start = server.now;
        let (mut first, mut retries) = (0, 0);
        for (seconds, share) in steps {
            let begun = begin(server.after(seconds), share);
            first += begun.0;
            retries += begun.1;
            server.in_flight = 0;
            let passed = u32::try_from(server.now.duration_since(start).as_secs()).unwrap();
            prop_assert!(retries <= 60 + first / 5 + passed, "{retries} of {first} in {passed} s");
        }
    }

    #[test]
    fn attempts_stay_within_their_rate(per_second in 1_u32..20, steps in prop::collection::vec(0_i64..3, 1..100)) {
        let mut server = Server { limits: EndpointLimits { at_once: 1000, per_second }, ..Server::new() };
        let start = server.now;
        let mut begun = 0;
        for seconds in steps {
            begun += begin(server.after(seconds), 0).0;
            server.in_flight = 0;
            let passed = u32::try_from(server.now.duration_since(start).as_secs()).unwrap();
            // A rate that does not divide a second evenly is a nanosecond fast.
            prop_assert!(begun <= (1 + passed) * per_second, "{begun} in {passed} s");
        }
    }
}
