//! An effect that comes after we gave up waiting for it (reference: delivery F10 to F12).

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::{ClinicReferral, SimulatedClinic};
use referral_gateway::sandbox::fhir_server::{Fault, FhirServer, Misbehaviour, SearchIndex};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use super::world::PATIENCE;
use crate::support::TestGateway;

/// Longer than the two seconds that the gateway waits for an answer.
const LATE: Duration = Duration::from_secs(4);
const QUIET: Duration = Duration::from_secs(61);
const LONG: Duration = Duration::from_mins(5);

fn late(conditions_checked_at_arrival: bool) -> Misbehaviour {
    Misbehaviour::ApplyLate { after: LATE, conditions_checked_at_arrival }
}

/// Waits until the server has done the late request too.
async fn late_one_is_done(server: &FhirServer) {
    // What it does then may be nothing, so there is nothing to wait for but time.
    tokio::time::sleep(LATE.saturating_sub(Duration::from_millis(1500))).await;
    assert!(server.wait_until(|_| true, PATIENCE).await);
}

#[tokio::test]
async fn a_referral_that_is_written_late_is_at_the_clinic_once() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().faults().push(Fault::new(late(false)).on("POST", ""));
    send(&mut gateway).await;
    gateway.after(QUIET).await;
    let sent_again = gateway.clinic().referrals();

    late_one_is_done(gateway.clinic().server()).await;
    gateway.settle().await;

    assert_eq!((sent_again.len(), gateway.clinic().referrals()), (1, sent_again));
    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 1);
}

/// The newer version has taken the first one's name away when the late creation comes.
#[tokio::test]
async fn a_creation_that_comes_after_the_next_version_makes_no_second_resource() {
    let cases: [(&str, Change); 2] = [
        ("Task", |clinic, referral| {
            clinic.accept(referral);
        }),
        ("DiagnosticReport", |clinic, referral| {
            clinic.report_results(referral);
        }),
    ];
    for (resource_type, change) in cases {
        let mut gateway = TestGateway::start().await;
        let referral = gateway.referral(1).await;
        let lakeside = gateway.lakeside().server().clone();
        lakeside.faults().push(Fault::new(late(false)).on("POST", ""));
        change(gateway.clinic(), &referral);
        gateway.settle().await;
        gateway.after(QUIET).await;
        assert_eq!(lakeside.all(resource_type).len(), 1, "it was sent again");

        change_again(&gateway, resource_type);
        gateway.settle().await;
        let last = lakeside.all(resource_type);
        late_one_is_done(&lakeside).await;

        assert_eq!(lakeside.all(resource_type), last, "{resource_type}");
        assert_eq!(last[0]["meta"]["versionId"], "2");
    }
}

type Change = fn(&SimulatedClinic, &ClinicReferral);

/// The next version of the clinic's resource, the same but for a time.
fn change_again(gateway: &TestGateway, resource_type: &str) {
    let mut resource: Value = gateway.clinic().server().all(resource_type).remove(0);
    if resource_type == "Task" {
        resource["status"] = "completed".into();
    } else {
        resource["status"] = "amended".into();
    }
    gateway.clinic().server().update(resource);
}

/// Its searches come to know what it did only after we looked in vain and sent again.
#[tokio::test]
async fn a_clinic_whose_index_lags_longer_than_the_quiet_period_has_no_second_order_that_nobody_is_told_of() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().set_search_index(SearchIndex::Behind(Duration::from_secs(90)));
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));

    send(&mut gateway).await;
    gateway.after(QUIET).await;
    gateway.after(LONG).await;

    assert_no_silent_twin(&gateway).await;
}

/// It looks at its condition, waits, and writes: two requests can both find nothing.
#[tokio::test]
async fn a_clinic_whose_conditional_create_is_not_atomic_has_no_second_order_that_nobody_is_told_of() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().faults().push(Fault::new(late(true)).on("POST", ""));

    send(&mut gateway).await;
    gateway.clinic().server().faults().push(Fault::new(Misbehaviour::ApplyThenDrop).on("POST", ""));
    gateway.after(QUIET).await;
    late_one_is_done(gateway.clinic().server()).await;
    gateway.after(LONG).await;

    assert_no_silent_twin(&gateway).await;
}

async fn send(gateway: &mut TestGateway) {
    let bundle = people::referral(1, &ReferralOptions::default());
    assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    gateway.settle().await;
}

async fn assert_no_silent_twin(gateway: &TestGateway) {
    let orders = gateway.clinic().server().all("ServiceRequest").len();
    let told = gateway.deliveries(DeliveryState::Quarantined).await.len();
    assert!(orders == 1 || told == 1, "{orders} orders, and {told} that a person must look at");
}
