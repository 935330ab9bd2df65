//! A slow or dead partner delays nobody else.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};

use super::{referral_of, sent_to};
use crate::support::{Options, TestGateway};

async fn two_partners() -> TestGateway {
    TestGateway::with(Options { partners: vec!["lakeside", "northside"], ..Options::default() }).await
}

#[tokio::test]
async fn a_dead_partner_delays_nobody_else() {
    let mut gateway = two_partners().await;
    gateway.expect_leftovers();
    let dead = Fault::new(Misbehaviour::DropBeforeApply);
    gateway.partner("northside").server().faults().always(Some(dead));
    let theirs = referral_of(&mut gateway, "northside", 1).await;
    let ours = referral_of(&mut gateway, "lakeside", 2).await;

    gateway.clinic().accept(&theirs);
    gateway.clinic().accept(&ours);
    gateway.settle().await;
    gateway.clinic().complete(&theirs);
    gateway.clinic().complete(&ours);
    gateway.settle().await;

    assert_eq!(gateway.lakeside().server().all("Task")[0]["status"], "completed");
    assert!(gateway.partner("northside").server().all("Task").is_empty());
}

#[tokio::test]
async fn a_partner_that_comes_back_gets_everything_in_order_and_once() {
    let mut gateway = two_partners().await;
    gateway.partner("northside").server().stop().await;
    let referral = referral_of(&mut gateway, "northside", 1).await;
    gateway.clinic().schedule(&referral);
    gateway.clinic().report_results(&referral);
    gateway.settle().await;

    gateway.partner("northside").server().restart().await.unwrap();
    gateway.after(Duration::from_hours(1)).await;

    let northside = gateway.partner("northside").server();
    assert_eq!(northside.all("Task").len(), 1);
    assert_eq!(northside.all("Appointment").len(), 1);
    assert_eq!(northside.all("DiagnosticReport").len(), 1);
    assert_eq!(sent_to(gateway.partner("northside")).len(), 3);
}

#[tokio::test]
async fn a_partner_that_hangs_leaves_workers_for_the_others() {
    let mut gateway = two_partners().await;
    let mut theirs = Vec::new();
    for seed in 1..=6 {
        theirs.push(referral_of(&mut gateway, "northside", seed).await);
    }
    let ours = referral_of(&mut gateway, "lakeside", 7).await;
    gateway.partner("northside").server().faults().always(Some(Fault::new(Misbehaviour::Hang)));
    for referral in &theirs {
        gateway.clinic().accept(referral);
    }
    gateway.clinic().accept(&ours);
    gateway.gateway().notice().await.unwrap();

    let work = gateway.gateway().run_work();
    let has_it =
        gateway.lakeside().server().wait_until(|it| it.all("Task").len() == 1, Duration::from_secs(1));
    let in_time = tokio::select! { it = has_it => it, _ = work => false };

    assert!(in_time, "lakeside has its update while northside still hangs");
    gateway.expect_leftovers();
}

#[tokio::test]
async fn a_partner_sees_nothing_of_anothers_referral() {
    let mut gateway = two_partners().await;
    let referral = referral_of(&mut gateway, "lakeside", 1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    assert!(gateway.partner("northside").server().requests().is_empty());
    let id = gateway.deliveries(DeliveryState::Delivered).await[0].referral;
    let reply = gateway.partner("northside").get(&format!("Task/{id}")).await.unwrap();
    assert_eq!(reply.status, 404);
}
