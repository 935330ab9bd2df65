//! A held update is decided again when something that its decision read has changed at the clinic.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::{ClinicReferral, ConsentSays};
use serde_json::{Value, json};

use super::{only, referral_without_consent, sent, the_one};
use crate::support::TestGateway;

/// A Consent with this provision, in force.
fn consent_with(gateway: &TestGateway, referral: &ClinicReferral, provision: &Value) {
    let mut consent = gateway.clinic().record_consent(referral, ConsentSays::Permit);
    consent["provision"] = provision.clone();
    gateway.clinic().server().update(consent);
}

fn recipient(reference: &str) -> Value {
    let role = json!({ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP" }] });
    json!({ "type": "permit", "actor": [{ "role": role, "reference": { "reference": reference } }] })
}

/// Lakeside as the clinic knows it.
fn lakeside(gateway: &TestGateway) -> String {
    let organization = gateway
        .clinic()
        .server()
        .all("Organization")
        .into_iter()
        .find(|it| it["identifier"][0]["value"] == "1234567893");
    format!("Organization/{}", organization.unwrap()["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_recipient_who_joins_the_group_that_a_consent_names_gets_what_was_held() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let someone = json!([{ "entity": { "reference": "Organization/1" } }]);
    let group = json!({ "resourceType": "Group", "type": "practitioner", "actual": true, "member": someone });
    let mut group = gateway.clinic().server().create(group);
    consent_with(&gateway, &referral, &recipient(&format!("Group/{}", group["id"].as_str().unwrap())));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    the_one(&gateway, DeliveryState::Held).await;

    group["member"] = json!([{ "entity": { "reference": lakeside(&gateway) } }]);
    gateway.clinic().server().update(group);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_group_that_could_not_be_read_is_waited_for() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    consent_with(&gateway, &referral, &recipient("Group/circle-of-care"));
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    assert_eq!(sent(&gateway), [""; 0]);

    let member = json!([{ "entity": { "reference": lakeside(&gateway) } }]);
    gateway.clinic().server().update(json!({
        "resourceType": "Group", "id": "circle-of-care", "type": "practitioner", "actual": true,
        "member": member,
    }));
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn a_label_on_what_travels_along_has_the_report_decided_again() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    let psychiatry = json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY" }]);
    let provision =
        json!({ "type": "permit", "provision": [{ "type": "deny", "securityLabel": psychiatry }] });
    consent_with(&gateway, &referral, &provision);
    gateway.clinic().report_results(&referral);
    let mut told = gateway.clinic().server().all("Observation").pop().unwrap();
    told.as_object_mut().unwrap().remove("valueQuantity");
    told["valueString"] = json!("as discussed");
    let mut told = gateway.clinic().server().update(told);
    gateway.settle().await;
    assert_eq!(sent(&gateway), [""; 0]);

    let normal = json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N" });
    told["meta"]["security"] = json!([normal]);
    gateway.clinic().server().update(told);
    gateway.settle().await;

    assert_eq!(only(&gateway, "DiagnosticReport")["status"], "final");
}
