//! A revocation that comes while a message is under way.

use referral_gateway::model::audit::{AuditFilter, AuditKind};
use referral_gateway::sandbox::clinic::ConsentSays;
use referral_gateway::sandbox::fhir_server::Fault;

use super::{only, referral_without_consent};
use crate::support::TestGateway;

/// How many records of a kind are in the trail.
async fn records(gateway: &TestGateway, kind: AuditKind) -> usize {
    let filter = AuditFilter { kind: Some(kind), limit: 100, ..AuditFilter::default() };
    gateway.gateway().parts().store.audit_records(filter).await.unwrap().len()
}

#[tokio::test]
async fn a_denial_between_decision_and_acknowledgement_is_recorded_and_alerts() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    let clinic = gateway.clinic().clone();
    let revoke = move || drop(clinic.revoke_consent(&consent));
    gateway.lakeside().server().faults().push(Fault::meanwhile(revoke).on("POST", "Task"));
    gateway.expect_error_line("late revocation");

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let delivered = super::updates(&gateway).await.remove(0);
    assert_eq!(delivered.reason.as_deref(), Some("late-revocation"));
    assert_eq!(records(&gateway, AuditKind::LateRevocation).await, 1);
    assert!(gateway.log_text().contains("late revocation"));
}

#[tokio::test]
async fn a_consent_that_stands_leaves_no_remark() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(super::updates(&gateway).await.remove(0).reason, None);
    assert_eq!(records(&gateway, AuditKind::LateRevocation).await, 0);
}

#[tokio::test]
async fn consents_that_cannot_be_read_again_are_remarked_and_the_delivery_stands() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let clinic = gateway.clinic().server().clone();
    let go_down = move || clinic.faults().push(Fault::status(503).on("GET", "Consent"));
    gateway.lakeside().server().faults().push(Fault::meanwhile(go_down).on("POST", "Task"));

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let delivered = super::updates(&gateway).await.remove(0);
    assert_eq!(delivered.reason.as_deref(), Some("not-looked-again"));
    assert_eq!(records(&gateway, AuditKind::NotLookedAgain).await, 1);
}
