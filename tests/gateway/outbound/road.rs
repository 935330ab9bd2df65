//! What the clinic does goes back.

use crate::support::TestGateway;

#[tokio::test]
async fn a_status_that_consent_permits_stands_at_the_partner() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let tasks = gateway.lakeside().server().all("Task");
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["status"], "accepted");
}
