//! What was promised before a stop is kept after it.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::endpoint::{AttemptEnd, EndpointLimits};
use referral_gateway::model::work::{Ended, Lease};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::store::ClaimLimits;

use super::clinic_faults::{assert_arrived_once, transactions};
use crate::support::{TestGateway, answered_task};

const QUIET: Duration = Duration::from_secs(61);

#[tokio::test]
async fn what_was_queued_before_a_restart_arrives_once_after_it() {
    let mut gateway = with_work_queued().await;

    gateway.restart().await;
    gateway.settle().await;

    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_submission_from_before_a_restart_is_known_after_it() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let first = gateway.send_bundle("lakeside", &bundle).await;

    gateway.restart().await;
    let second = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(answered_task(&second)["id"], answered_task(&first)["id"]);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_off_before_it_was_sent_is_looked_for_and_then_made() {
    let mut gateway = with_work_queued().await;
    claim(&gateway).await;

    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(gateway.deliveries(DeliveryState::UnknownWait).await.len(), 1);
    gateway.after(QUIET).await;

    let requests = gateway.clinic().server().requests();
    let position = |method: &str, path: &str| {
        requests.iter().position(|it| it.method == method && it.path_and_query.starts_with(path)).unwrap()
    };
    assert!(position("GET", "/fhir/ServiceRequest?identifier=") < position("POST", "/fhir"));
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_off_after_it_took_effect_is_found() {
    let mut gateway = with_work_queued().await;
    let lease = claim(&gateway).await;
    gateway.gateway().parts().worker.step.attempt(&lease.delivery).await.unwrap();

    gateway.restart().await;
    gateway.after(QUIET).await;

    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_with_a_look_and_the_late_worker_is_fenced() {
    let mut gateway = with_work_queued().await;
    let lease = claim(&gateway).await;
    let worker = gateway.gateway().parts().worker.clone();
    let settlement = worker.step.attempt(&lease.delivery).await.unwrap();
    let ended = Ended { settlement, end: AttemptEnd::Answered, random: 0.5 };

    gateway.after(Duration::from_secs(61)).await;
    let late = worker.store.settle(&lease, ended, lease.until).await.unwrap();

    assert_eq!(format!("{late:?}"), "Fenced");
    assert_eq!(gateway.metrics().await.get("refgw_lease_lost_total"), Some(&1.0));
    assert_eq!(transactions(&gateway), 1);
    assert_arrived_once(&mut gateway).await;
}

async fn with_work_queued() -> TestGateway {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    gateway
}

/// Takes the one delivery, as a worker does that is then never heard of again.
async fn claim(gateway: &TestGateway) -> Lease {
    let limits = ClaimLimits { in_all: 1, endpoint: EndpointLimits { at_once: 1, per_second: 0 }, own: None };
    let worker = &gateway.gateway().parts().worker;
    let claimed = worker.store.claim(worker.clock.now(), worker.patience.lease, limits).await.unwrap();
    claimed.leases.into_iter().next().unwrap()
}
