//! The machine's clock jumps (reference: delivery F33).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use referral_gateway::model::clock::Clock as _;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};

use crate::support::{Options, TestGateway};

fn jump(gateway: &TestGateway, by: SignedDuration) -> Timestamp {
    let now = gateway.clock().now();
    gateway.clock().set(now.checked_add(by).unwrap());
    now
}

#[tokio::test]
async fn a_clock_that_jumps_and_comes_back_doubles_nothing_and_loses_nothing() {
    for hours in [1, -1, 24, -24] {
        let mut gateway = TestGateway::start().await;
        let referral = gateway.referral(1).await;
        gateway.lakeside().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
        gateway.clinic().accept(&referral);
        gateway.settle().await;

        let before = jump(&gateway, SignedDuration::from_hours(hours));
        gateway.settle().await;
        gateway.clock().set(before);
        gateway.after(Duration::from_mins(2)).await;
        gateway.clinic().complete(&referral);
        gateway.settle().await;
        gateway.after(Duration::from_mins(2)).await;

        let tasks = gateway.lakeside().server().history("Task");
        let statuses: Vec<_> = tasks.iter().map(|it| it["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["accepted", "completed"], "{hours} hours");
    }
}

#[tokio::test]
async fn a_referral_that_is_sent_while_the_clock_is_wrong_arrives_once() {
    for hours in [1, -1, 87_600] {
        let mut gateway = TestGateway::start().await;
        let before = jump(&gateway, SignedDuration::from_hours(hours));
        gateway.referral(1).await;

        gateway.clock().set(before);
        gateway.settle().await;

        assert_eq!(gateway.clinic().referrals().len(), 1, "{hours} hours");
        assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 1);
    }
}

/// A gateway whose machine's clock is wrong by this from now on.
async fn with_a_wrong_clock() -> (TestGateway, Arc<AtomicI64>) {
    let wrong_by = Arc::new(AtomicI64::new(0));
    let options = Options { wrong_by: Some(Arc::clone(&wrong_by)), ..Options::default() };
    (TestGateway::with(options).await, wrong_by)
}

#[tokio::test]
async fn a_clock_that_jumps_by_years_gives_nothing_up_and_freezes_nothing() {
    for hours in [87_600, 1, -1, -87_600] {
        let (mut gateway, wrong_by) = with_a_wrong_clock().await;
        let referral = gateway.referral(1).await;
        gateway.lakeside().server().faults().push(Fault::status(429));
        gateway.lakeside().server().faults().push(Fault::status(429));
        gateway.clinic().accept(&referral);
        gateway.settle().await;

        wrong_by.store(hours * 3600, Ordering::Relaxed);
        gateway.after(Duration::from_mins(5)).await;
        wrong_by.store(0, Ordering::Relaxed);
        gateway.after(Duration::from_hours(1)).await;

        assert!(gateway.deliveries(DeliveryState::Dead).await.is_empty(), "{hours} hours");
        assert_eq!(gateway.lakeside().server().all("Task").len(), 1, "{hours} hours");
    }
}

#[tokio::test]
async fn a_token_is_still_good_while_the_clock_is_wrong() {
    let (mut gateway, wrong_by) = with_a_wrong_clock().await;
    gateway.referral(1).await;

    wrong_by.store(3600, Ordering::Relaxed);
    gateway.referral(2).await;
    gateway.settle().await;

    assert_eq!(gateway.clinic().referrals().len(), 2);
}
