//! A Consent at the clinic that can only hold is told when it comes in.

use referral_gateway::fhir::json;
use referral_gateway::sandbox::clinic::ConsentSays;
use serde_json::Value;

use super::referral_without_consent;
use crate::support::TestGateway;

/// The lines about faults of Consents.
fn told(gateway: &TestGateway) -> Vec<Value> {
    let log = gateway.log_text();
    let lines = log.lines().filter(|it| it.contains("a consent can only hold what it may speak of"));
    lines.map(|it| json::parse(it.as_bytes()).unwrap()).collect()
}

/// A field of a line, wherever the format puts it.
fn field<'v>(line: &'v Value, name: &str) -> &'v str {
    line.get(name).or_else(|| line["fields"].get(name)).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test]
async fn a_consent_that_can_only_hold_is_told_once_for_each_version() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let mut consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    consent["provision"]["actor"] = serde_json::json!([{ "reference": { "display": "Somebody" } }]);
    let consent = gateway.clinic().server().update(consent);
    gateway.settle().await;
    gateway.settle().await;

    let first = told(&gateway);
    gateway.clinic().server().update(consent.clone());
    gateway.settle().await;

    let id = consent["id"].as_str().unwrap();
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(field(&first[0], "consent"), format!("Consent/{id}/_history/2"));
    assert_eq!(field(&first[0], "rule"), "element-missing");
    assert_eq!(field(&first[0], "element"), "Consent.provision.actor[0].role");
    assert!(field(&first[0], "fix").starts_with("Add `role`"));
    assert_eq!(told(&gateway).len(), 2);
    assert!(!gateway.log_text().contains("Somebody"));
}

#[tokio::test]
async fn neither_a_good_consent_nor_one_that_is_not_active_is_told() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    let mut consent = gateway.clinic().record_consent(&referral, ConsentSays::Deny);
    consent["provision"]["type"] = "forbid".into();
    gateway.clinic().revoke_consent(&consent);
    gateway.settle().await;

    assert_eq!(told(&gateway), Vec::<Value>::new());
}
