//! Nothing leaves without a consent that certainly permits it.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use serde_json::json;

use super::{attempts, only, referral_without_consent, sent, the_one};
use crate::support::{Options, TestGateway};

#[tokio::test]
async fn without_a_consent_an_update_is_held_and_the_partner_hears_nothing() {
    let mut gateway = TestGateway::start().await;
    let referral = referral_without_consent(&mut gateway, 1).await;

    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let held = the_one(&gateway, DeliveryState::Held).await;
    assert_eq!(held.reason.as_deref(), Some("no-consent"));
    assert!(gateway.lakeside().server().requests().is_empty());
    let task = gateway.lakeside().get(&format!("Task/{}", held.referral)).await.unwrap();
    assert_eq!((task.status.as_u16(), &task.body["status"]), (200, &json!("requested")));
}

#[tokio::test]
async fn a_denial_wins_over_a_permission() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().record_consent(&referral, ConsentSays::Deny);
    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    let held = the_one(&gateway, DeliveryState::Held).await;
    assert_eq!(held.reason.as_deref(), Some("provision-deny"));
    let attempt = attempts(&gateway, &held).await.remove(0);
    assert_eq!(attempt.decision.as_deref(), Some("deny by provision-deny"));
    assert_eq!(attempt.consents.len(), 3);
    assert_eq!(sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn consents_that_cannot_be_read_hold_even_where_the_default_permits() {
    for fault in [Misbehaviour::Html, Misbehaviour::DropBeforeApply, Misbehaviour::WrongContent(json!({}))] {
        let options = Options { preset: "permit-all-authorised", ..Options::default() };
        let mut gateway = TestGateway::with(options).await;
        let referral = gateway.referral(1).await;
        gateway.clinic().accept(&referral);
        gateway.gateway().notice().await.unwrap();

        gateway.clinic().server().faults().push(Fault::new(fault).on("GET", "Consent"));
        gateway.gateway().run_work().await.unwrap();

        let held = the_one(&gateway, DeliveryState::Held).await;
        assert_eq!(held.reason.as_deref(), Some("consent-source-unavailable"));
        assert_eq!(sent(&gateway), [""; 0]);
    }
}

#[tokio::test]
async fn a_patient_that_cannot_be_read_lets_nothing_go() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().accept(&referral);
    gateway.gateway().notice().await.unwrap();

    gateway.clinic().server().faults().push(Fault::status(503).on("GET", "Patient"));
    gateway.gateway().run_work().await.unwrap();

    assert_eq!(the_one(&gateway, DeliveryState::RetryWait).await.attempts, 1);
    assert_eq!(sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn a_consent_that_is_not_understood_holds() {
    for (name, strange) in [
        ("provision", json!(["garbage"])),
        ("provision", json!({ "type": "permit", "provision": [{ "type": "deny" }] })),
        ("status", json!("on-hold")),
    ] {
        let mut gateway = TestGateway::start().await;
        let referral = gateway.referral(1).await;
        let mut consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
        consent[name] = strange;

        gateway.clinic().server().update(consent);
        gateway.clinic().accept(&referral);
        gateway.settle().await;

        assert_eq!(sent(&gateway), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn a_psychotherapy_note_is_held_while_others_flow() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.settle().await;
    gateway.clinic().complete(&referral);
    gateway.settle().await;

    let held = the_one(&gateway, DeliveryState::Held).await;
    assert_eq!(held.reason.as_deref(), Some("sensitivity-not-named"));
    assert_eq!(only(&gateway, "Task")["status"], "completed");
    assert_eq!(sent(&gateway), ["POST Task"]);
}

#[tokio::test]
async fn an_observation_that_a_consent_must_name_is_taken_out_of_its_report() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let report = gateway.clinic().report_results(&referral);
    let id = report["result"][1]["reference"].as_str().unwrap().trim_start_matches("Observation/").to_owned();
    let mut observation = gateway.clinic().server().read("Observation", &id).unwrap();
    observation["meta"]["security"] =
        json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN" }]);

    gateway.clinic().server().update(observation);
    gateway.settle().await;

    let report = only(&gateway, "DiagnosticReport");
    assert_eq!(report["result"].as_array().unwrap().len(), 1);
    assert_eq!(gateway.lakeside().server().all("Observation").len(), 1);
    let told = report.to_string();
    assert!(!told.contains("REDACTED") && !told.contains("PSYTHPN"), "nothing tells that there was more");
}
