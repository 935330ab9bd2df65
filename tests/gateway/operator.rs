//! What an operator orders on the command line of a running gateway, and the words that come back.

use std::process::Output;

use referral_gateway::model::clock::Clock as _;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::Value;

use crate::process::{err, lines, out, run};
use crate::support::TestGateway;

const NOBODYS_DELIVERY: &str = "dlv-0197a4c2-0000-7000-8000-000000000000";
const NOBODYS_REPLAY: &str = "rpl-0197a4c2-0000-7000-8000-000000000000";

/// Runs a command on the settings of a gateway.
async fn order(gateway: &TestGateway, command: &[&str]) -> Output {
    let folder = gateway.folder().to_str().unwrap();
    run(&[command, &["--config", folder]].concat()).await
}

fn assert_done(output: &Output, words: &str) {
    assert!(output.status.success() && out(output).contains(words), "{}{}", out(output), err(output));
}

fn assert_refused(output: &Output, words: &str) {
    assert!(!output.status.success() && err(output).contains(words), "{}{}", out(output), err(output));
}

/// Makes due what replays may make due now, and works it off.
async fn replay_and_settle(gateway: &TestGateway) {
    let store = &gateway.gateway().parts().store;
    while store.replay_some(gateway.clock().now()).await.unwrap() {}
    gateway.settle().await;
}

/// A gateway with an update that lakeside refused for good.
async fn with_a_dead_one() -> (TestGateway, ClinicReferral, String) {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let refuse = Misbehaviour::Status { status: 422, retry_after: None, body: Some(Value::Null) };
    gateway.lakeside().server().faults().push(Fault::new(refuse));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let id = gateway.deliveries(DeliveryState::Dead).await[0].id.to_string();
    (gateway, referral, id)
}

#[tokio::test]
async fn a_server_is_left_alone_and_used_again_by_order() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    let pause = ["endpoints", "pause", "lakeside", "--by", "amina", "--why", "they move house"];
    let paused = order(&gateway, &pause).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let people = order(&gateway, &["endpoints", "list"]).await;
    let programs = order(&gateway, &["endpoints", "list", "--json"]).await;
    let sent_meanwhile = gateway.lakeside().server().all("Task").len();
    let resumed = order(&gateway, &["endpoints", "resume", "lakeside", "--by", "amina"]).await;
    gateway.settle().await;

    assert_done(&paused, "No attempt is made at lakeside until `endpoints resume lakeside`");
    let told = out(&people);
    let lakeside = told.lines().find(|it| it.starts_with("lakeside")).unwrap();
    for word in ["paused", "they move house", "1 waiting"] {
        assert!(lakeside.contains(word), "{lakeside}");
    }
    let lakeside = lines(&programs).into_iter().find(|it| it["endpoint"] == "lakeside").unwrap();
    assert_eq!((&lakeside["state"], &lakeside["paused"]["by"]), (&"paused".into(), &"amina".into()));
    assert_eq!(sent_meanwhile, 0);
    assert_done(&resumed, "Attempts at lakeside are made again");
    assert_eq!(gateway.lakeside().server().all("Task").len(), 1);
}

#[tokio::test]
async fn a_dead_update_is_counted_then_sent_again_by_a_replay() {
    let (gateway, _, _) = with_a_dead_one().await;

    let counted = order(&gateway, &["deliveries", "replay", "--endpoint", "lakeside", "--dry-run"]).await;
    let after_counting = gateway.deliveries(DeliveryState::Dead).await.len();
    let replay = ["deliveries", "replay", "--partner", "lakeside", "--by", "amina", "--why", "mended"];
    let ordered = order(&gateway, &replay).await;
    replay_and_settle(&gateway).await;
    let people = order(&gateway, &["replays", "list"]).await;
    let programs = order(&gateway, &["replays", "list", "--json"]).await;

    assert_done(&counted, "1  in all; nothing was changed");
    assert!(out(&counted).contains("lakeside") && out(&counted).contains("dead"), "{}", out(&counted));
    assert_eq!(after_counting, 1);
    assert_done(&ordered, "`replays list` tells how far it is");
    assert_eq!(gateway.lakeside().server().all("Task").len(), 1);
    assert_done(&people, "1 made due, 0 passed over");
    assert!(out(&people).contains("by amina: mended"), "{}", out(&people));
    assert_eq!(lines(&programs)[0]["replayed"], 1);
}

#[tokio::test]
async fn a_replay_is_stopped_once() {
    let (gateway, _, _) = with_a_dead_one().await;
    let ordered = order(&gateway, &["deliveries", "replay", "--per-minute", "1"]).await;
    let id = out(&ordered).split(' ').next().unwrap().to_owned();

    let stopped = order(&gateway, &["replays", "stop", &id]).await;
    let again = order(&gateway, &["replays", "stop", &id]).await;
    replay_and_settle(&gateway).await;

    assert_done(&stopped, "is stopped; what it had not reached stays as it is");
    assert_refused(&again, "it is done or stopped");
    assert_eq!(gateway.deliveries(DeliveryState::Dead).await.len(), 1);
}

#[tokio::test]
async fn what_is_cancelled_is_not_sent_and_not_tried_again() {
    let (gateway, _, id) = with_a_dead_one().await;

    let cancelled = order(&gateway, &["deliveries", "cancel", &id, "--why", "told by telephone"]).await;
    let again = order(&gateway, &["deliveries", "cancel", &id]).await;
    let retried = order(&gateway, &["deliveries", "retry", &id]).await;
    gateway.settle().await;

    assert_done(&cancelled, "is cancelled: it is not sent any more");
    assert_refused(&again, "cannot be cancelled: it is cancelled");
    assert_refused(&retried, "cannot be tried again: it is cancelled");
    assert_eq!(gateway.deliveries(DeliveryState::Cancelled).await.len(), 1);
    assert_eq!(gateway.lakeside().server().all("Task").len(), 0);
}

#[tokio::test]
async fn an_order_about_what_is_not_there_is_refused_in_words() {
    let (gateway, _, _) = with_a_dead_one().await;

    for (command, words) in [
        (&["deliveries", "cancel", NOBODYS_DELIVERY][..], "there is no delivery dlv-"),
        (&["deliveries", "retry", NOBODYS_DELIVERY], "there is no delivery dlv-"),
        (&["deliveries", "cancel", "ref-1"], "dlv-"),
        (&["replays", "stop", NOBODYS_REPLAY], "there never was one"),
        (&["replays", "stop", "1"], "rpl-"),
        (&["endpoints", "pause", "lakesode"], "there is no such server"),
        (&["endpoints", "resume", "lake/side"], "does not take this: 404"),
        (&["deliveries", "replay", "--dry-run", "--endpoint", "lakesode"], "there is no such server"),
        (&["deliveries", "replay", "--partner", "lakesode"], "there is no such server"),
        (&["deliveries", "replay", "--state", "delivered"], "only what is dead, quarantined"),
    ] {
        assert_refused(&order(&gateway, command).await, words);
    }

    assert_eq!(lines(&order(&gateway, &["replays", "list", "--json"]).await).len(), 0);
}

#[tokio::test]
async fn orders_need_a_gateway_that_runs() {
    let mut gateway = TestGateway::start().await;
    gateway.stop().await;

    for command in [
        &["endpoints", "list"][..],
        &["endpoints", "pause", "lakeside"],
        &["replays", "list"],
        &["deliveries", "cancel", NOBODYS_DELIVERY],
        &["deliveries", "replay"],
    ] {
        assert_refused(&order(&gateway, command).await, "only one that runs takes orders");
    }
}
