//! Which of the clinic's resources belong to a referral, and which do not.

use std::collections::HashMap;

use referral_gateway::sandbox::clinic::{ClinicReferral, SimulatedClinic};
use serde_json::{Value, json};

use super::{number, only, sent, updates};
use crate::support::{Options, TestGateway};

/// A document about the patient that names no referral.
fn unrelated_document(clinic: &SimulatedClinic, referral: &ClinicReferral) -> Value {
    clinic.server().create(json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": { "reference": referral.patient },
        "content": [{ "attachment": { "contentType": "text/plain", "data": "QSBmaWxl" } }],
    }))
}

#[tokio::test]
async fn what_names_no_referral_is_not_recorded() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    unrelated_document(gateway.clinic(), &referral);
    gateway.settle().await;

    assert!(updates(&gateway).await.is_empty());
    assert_eq!(sent(&gateway), [""; 0]);
}

#[tokio::test]
async fn a_task_among_the_clinics_staff_is_not_recorded() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;

    gateway.clinic().server().create(json!({
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "focus": { "reference": referral.service_request },
        "description": "Call the patient",
    }));
    gateway.settle().await;

    assert!(updates(&gateway).await.is_empty());
}

#[tokio::test]
async fn a_document_goes_once_the_task_names_it_as_output() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let document = unrelated_document(gateway.clinic(), &referral);
    gateway.settle().await;
    assert_eq!(sent(&gateway), [""; 0]);

    gateway.clinic().add_output(&referral, &document);
    gateway.settle().await;

    assert_eq!(only(&gateway, "DocumentReference")["content"][0]["attachment"]["data"], "QSBmaWxl");
}

#[tokio::test]
async fn a_later_version_of_an_output_goes_too() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut document = unrelated_document(gateway.clinic(), &referral);
    gateway.clinic().add_output(&referral, &document);
    gateway.settle().await;

    document["status"] = json!("superseded");
    gateway.clinic().server().update(document);
    gateway.settle().await;

    assert_eq!(only(&gateway, "DocumentReference")["status"], "superseded");
}

#[tokio::test]
async fn a_summary_that_names_only_the_visit_goes() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut summary = gateway.clinic().write_visit_summary(&referral);

    summary.as_object_mut().unwrap().remove("extension");
    gateway.clinic().server().update(summary);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Composition")["status"], "final");
}

#[tokio::test]
async fn a_summary_whose_visit_is_gone_stops_nothing() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    gateway.clinic().server().create(json!({
        "resourceType": "Composition", "status": "final", "encounter": { "reference": "Encounter/999" },
    }));

    gateway.clinic().accept(&referral);
    gateway.clinic().report_results(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(only(&gateway, "DiagnosticReport")["status"], "final");
}

#[tokio::test]
async fn an_output_that_is_gone_stops_nothing() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let document = unrelated_document(gateway.clinic(), &referral);
    gateway.clinic().add_output(&referral, &document);
    gateway.clinic().server().delete("DocumentReference", document["id"].as_str().unwrap());

    gateway.settle().await;

    assert_eq!(sent(&gateway), ["POST Task"]);
}

#[tokio::test]
async fn a_kind_that_is_not_shared_is_not_recorded() {
    let options = Options { share: &["referral-status"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let referral = gateway.referral(1).await;

    gateway.clinic().schedule(&referral);
    gateway.clinic().send_message(&referral, "See you soon.");
    gateway.settle().await;

    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_eq!(updates(&gateway).await.len(), 1);
}

#[tokio::test]
async fn two_referrals_keep_their_updates_apart() {
    let mut gateway = TestGateway::start().await;
    let first = gateway.referral(1).await;
    let second = gateway.referral(2).await;

    gateway.clinic().accept(&first);
    gateway.clinic().decline(&second, "Please refer to the pulmonary clinic.");
    gateway.settle().await;

    let tasks = gateway.lakeside().server().all("Task");
    let told = tasks.iter().map(|it| (it["focus"]["identifier"]["value"].clone(), it["status"].clone()));
    let told: HashMap<Value, Value> = told.collect();
    assert_eq!(told[&number(1, "ServiceRequest")], "accepted");
    assert_eq!(told[&number(2, "ServiceRequest")], "rejected");
}
