//! A referral goes in.

use referral_gateway::sandbox::people::{self, ReferralOptions};

use crate::support::TestGateway;

#[tokio::test]
async fn a_bundle_is_answered_after_it_is_recorded_and_reaches_the_clinic_once() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["type"], "transaction-response");
    assert_eq!(gateway.clinic().referrals().len(), 1);
    assert_eq!(gateway.clinic().server().all("Patient").len(), 1);
    let orders = gateway.clinic().server().all("ServiceRequest");
    assert_eq!(orders[0]["intent"], "filler-order");
}
