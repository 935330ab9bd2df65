//! What a program that watches is told.

use std::time::Duration;

use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use rusqlite::Connection;

use crate::support::TestGateway;

#[tokio::test]
async fn referrals_and_attempts_are_counted_by_sender_and_endpoint() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.send_bundle("lakeside", &bundle).await;
    gateway.send_bundle("lakeside", &bundle).await;
    gateway.send_bytes("{}").await;
    gateway.send_bytes("no JSON").await;
    gateway.settle().await;

    let metrics = gateway.metrics().await;

    for (name, value) in [
        (r#"refgw_accept_total{sender="lakeside",outcome="recorded"}"#, 1.0),
        (r#"refgw_accept_total{sender="lakeside",outcome="repeated"}"#, 1.0),
        (r#"refgw_accept_total{sender="lakeside",outcome="refused"}"#, 2.0),
        ("refgw_accept_seconds_count", 4.0),
        (r#"refgw_refused_total{code="SEND_JSON_INVALID"}"#, 1.0),
        (r#"refgw_attempt_total{endpoint="@clinic",outcome="delivered"}"#, 1.0),
        (r#"refgw_attempt_seconds_count{endpoint="@clinic"}"#, 1.0),
        ("refgw_fenced_total", 0.0),
        ("refgw_ledger_readable", 1.0),
        ("refgw_recorded", 1.0),
        ("refgw_conservation_gap", 0.0),
        (r#"refgw_deliveries{state="delivered"}"#, 1.0),
        (r#"refgw_deliveries{state="held"}"#, 0.0),
    ] {
        assert_eq!(metrics.get(name), Some(&value), "{name} in {metrics:?}");
    }
}

#[tokio::test]
async fn what_waits_is_told_by_endpoint_and_reason_with_its_age() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().stop().await;
    gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.work().await;
    gateway.clock().advance(Duration::from_mins(10));

    let waiting = gateway.metrics().await;
    gateway.clinic().server().restart().await.unwrap();
    gateway.settle().await;
    let gone = gateway.metrics().await;

    let age = r#"refgw_oldest_undelivered_seconds{endpoint="@clinic"}"#;
    let lanes = r#"refgw_lanes{endpoint="@clinic"}"#;
    let open = r#"refgw_open_deliveries{endpoint="@clinic",state="retry-wait",reason="not-connected"}"#;
    assert_eq!((waiting.get(age), waiting.get(lanes)), (Some(&600.0), Some(&1.0)), "{waiting:?}");
    assert_eq!(waiting.get(open), Some(&1.0), "{waiting:?}");
    assert!(![age, lanes, open].iter().any(|it| gone.contains_key(*it)), "{gone:?}");
}

#[tokio::test]
async fn every_metric_is_explained_in_the_how_to() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;
    gateway.send_bundle("lakeside", &people::referral(2, &ReferralOptions::default())).await;
    gateway.expect_leftovers();

    let (_, text) = gateway.operator_calls("GET", "/metrics").text().await;

    let explained = std::fs::read_to_string("docs/how-to/watch-the-gateway.md").unwrap();
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    for (name, kind) in families {
        let shown = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        assert!(explained.contains(&format!("| `{shown}` |")), "no row for {shown}");
    }
}

#[tokio::test]
async fn metrics_are_not_at_the_public_door_and_name_nobody() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;

    let public = gateway.call("GET", "/metrics").send().await;
    let (_, text) = gateway.operator_calls("GET", "/metrics").text().await;

    assert_eq!(public.status, 404);
    gateway.assert_no_patient_in(&text);
    assert!(!text.contains("http"), "no address: {text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn looks_after_an_unknown_outcome_are_counted_by_what_they_bring() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
    gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.settle().await;

    gateway.after(Duration::from_secs(61)).await;

    let metrics = gateway.metrics().await;
    let found = r#"refgw_reconcile_total{endpoint="@clinic",found="one"}"#;
    assert_eq!(metrics.get(found), Some(&1.0), "{metrics:?}");
}

#[tokio::test]
async fn a_trail_that_was_changed_shows_at_the_next_look() {
    let mut gateway = TestGateway::start().await;
    gateway.expect_error_line("audit verify tells where");
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let ledger = Connection::open(gateway.ledger()).unwrap();

    gateway.gateway().look_at_trail().await.unwrap();
    let whole = gateway.metrics().await["refgw_ledger_chain_ok"];
    ledger.execute("UPDATE audit SET rule = 'another' WHERE number = 1", []).unwrap();
    gateway.gateway().look_at_trail().await.unwrap();
    let changed = gateway.metrics().await["refgw_ledger_chain_ok"];

    assert_eq!((whole, changed), (1.0, 0.0));
}
