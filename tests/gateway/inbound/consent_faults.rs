//! A referral with a Consent that can only hold.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::support::TestGateway;

/// The place of the Consent among the entries.
fn consent_in(bundle: &Value) -> usize {
    bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .position(|it| it["resource"]["resourceType"] == "Consent")
        .unwrap()
}

/// A referral whose Consent does not say which way its root points.
fn with_a_doubtful_consent() -> Value {
    let mut bundle = people::referral(1, &ReferralOptions::default());
    let place = consent_in(&bundle);
    let consent = &mut bundle["entry"][place]["resource"];
    consent["provision"] = serde_json::json!({ "purpose": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT" }] });
    bundle
}

#[tokio::test]
async fn the_referral_is_taken_and_the_sender_is_told_what_to_change() {
    let mut gateway = TestGateway::start().await;
    let bundle = with_a_doubtful_consent();
    let place = consent_in(&bundle);

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    let again = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200);
    let response = &reply.body["entry"][place]["response"];
    assert_eq!(response["status"], "201 Created");
    let issue = &response["outcome"]["issue"][0];
    assert_eq!((&issue["severity"], &issue["code"]), (&"warning".into(), &"business-rule".into()));
    assert_eq!(issue["details"]["coding"][0]["code"], "SEND_CONSENT_ONLY_HOLDS");
    assert_eq!(issue["expression"][0], format!("Bundle.entry[{place}].resource.provision"));
    assert!(issue["details"]["text"].as_str().unwrap().starts_with("Give the root `type`"));
    assert_eq!(again.body, reply.body);
    assert_eq!(gateway.clinic().server().all("Consent").len(), 1);
}

#[tokio::test]
async fn a_good_consent_is_answered_without_a_word() {
    let mut gateway = TestGateway::start().await;

    let reply = gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.settle().await;

    let entries = reply.body["entry"].as_array().unwrap();
    assert!(entries.iter().all(|it| it["response"].get("outcome").is_none()));
}
