//! What goes on record about decisions and disclosures, and what an inspection of the record finds.

use referral_gateway::fhir::json;
use referral_gateway::model::audit::{AuditFilter, AuditKind, AuditRecord, Tampering};
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;
use referral_gateway::sandbox::fhir_server::Fault;

use rusqlite::Connection;
use serde_json::Value;

use super::{referral_without_consent, sent, the_one};
use crate::support::{Options, TestGateway};

async fn records(gateway: &TestGateway) -> Vec<AuditRecord> {
    let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
    let mut found = gateway.gateway().parts().store.audit_records(filter).await.unwrap();
    found.reverse();
    found
}

async fn kinds(gateway: &TestGateway) -> Vec<(AuditKind, String)> {
    records(gateway).await.into_iter().map(|it| (it.record.kind, it.record.outcome)).collect()
}

async fn tampering(gateway: &TestGateway) -> Vec<Tampering> {
    gateway.gateway().parts().store.inspect_trail(None).await.unwrap().tampering
}

fn content(record: &AuditRecord) -> Value {
    json::parse(record.record.content.reveal()).unwrap()
}

fn change(gateway: &TestGateway, sql: &str) {
    Connection::open(gateway.ledger()).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_hold_and_the_release_that_follows_are_on_record_in_order() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.settle().await;

    let told: Vec<(AuditKind, &str)> = vec![
        (AuditKind::Decision, "hold"),
        (AuditKind::Decision, "permit"),
        (AuditKind::Disclosure, "permit"),
    ];
    let kinds = kinds(&gateway).await;
    assert_eq!(kinds.iter().map(|(kind, it)| (*kind, it.as_str())).collect::<Vec<_>>(), told);
    assert_eq!(tampering(&gateway).await, []);
    let event = &content(&records(&gateway).await[1])["event"];
    assert_eq!(event["resourceType"], "AuditEvent");
    assert_eq!(event["entity"][0]["what"]["reference"], referral.patient.as_str());
}

#[tokio::test]
async fn every_attempt_that_sends_is_a_disclosure_on_record_also_if_it_fails() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.lakeside().server().faults().push(Fault::status(429).on("POST", ""));

    gateway.clinic().accept(&referral);
    gateway.settle().await;
    gateway.after(std::time::Duration::from_mins(1)).await;

    let disclosures =
        records(&gateway).await.iter().filter(|it| it.record.kind == AuditKind::Disclosure).count();
    assert_eq!((disclosures, sent(&gateway).len()), (2, 2));
}

#[tokio::test]
async fn what_a_partner_reads_from_its_inbox_is_a_disclosure_on_record() {
    let mut gateway = TestGateway::with(Options { mode: "inbox", ..Options::default() }).await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let read = gateway.lakeside_calls("GET", "/fhir/Task").await.send().await;

    assert_eq!(read.status, 200);
    assert!(kinds(&gateway).await.contains(&(AuditKind::Disclosure, "permit".to_owned())));
    assert_eq!(tampering(&gateway).await, []);
}

#[tokio::test]
async fn nothing_goes_while_its_record_cannot_be_kept() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    change(
        &gateway,
        "CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END;",
    );

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let waits = the_one(&gateway, DeliveryState::RetryWait).await;
    assert_eq!(waits.reason.as_deref(), Some("ledger-unavailable"));
    assert_eq!(sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn whoever_changes_removes_or_cuts_off_a_record_is_found_out() {
    for (sql, expected) in [
        ("UPDATE audit SET outcome = 'hold' WHERE number = 1", Tampering::Changed(1)),
        ("UPDATE audit SET at_ms = at_ms - 1 WHERE number = 2", Tampering::Changed(2)),
        ("UPDATE audit SET ciphertext = zeroblob(40) WHERE number = 1", Tampering::ContentChanged(1)),
        (
            "UPDATE audit SET wrapped_key = NULL, ciphertext = NULL WHERE number = 1",
            Tampering::ContentChanged(1),
        ),
        ("DELETE FROM audit WHERE number = 1", Tampering::Gap(2)),
        ("DELETE FROM audit WHERE number = 2", Tampering::CutOff),
        ("DELETE FROM audit", Tampering::CutOff),
        (
            "UPDATE audit SET number = -1 WHERE number = 1; UPDATE audit SET number = 1 WHERE number = 2;
             UPDATE audit SET number = 2 WHERE number = -1;",
            Tampering::Changed(1),
        ),
    ] {
        let mut gateway = TestGateway::start().await;
        let referral = gateway.referral(1).await;
        gateway.clinic().accept(&referral);
        gateway.settle().await;
        assert_eq!(tampering(&gateway).await, []);

        change(&gateway, sql);

        let found = tampering(&gateway).await;
        assert!(found.contains(&expected), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn a_delivery_that_is_made_up_has_no_decision_on_record() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    let held = the_one(&gateway, DeliveryState::Held).await;

    change(&gateway, "UPDATE delivery SET state = 5, sent_sha256 = 'ab' WHERE state = 4");

    assert_eq!(tampering(&gateway).await, [Tampering::NoDisclosure(held.id)]);
}
