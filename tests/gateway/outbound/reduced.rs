//! What may go in part goes in part: marked if the clinic allows, valid in any case, and on record.

use referral_gateway::fhir::json;
use referral_gateway::model::audit::{AuditFilter, AuditKind};
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ClinicReferral;

use serde_json::{Value, json as object};

use super::{only, sent, the_one};
use crate::support::{Options, TestGateway};

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// A report of two Observations, of which one is about substance use; no Consent names it.
async fn sensitive_report(gateway: &mut TestGateway) -> ClinicReferral {
    let referral = gateway.referral(1).await;
    gateway.clinic().report_results(&referral);
    let mut sensitive = gateway.clinic().server().all("Observation").pop().unwrap();
    sensitive["meta"]["security"] = object!([{ "system": ACT_CODE, "code": "SUD" }]);
    gateway.clinic().server().update(sensitive);
    referral
}

fn is_marked(resource: &Value) -> bool {
    let labels = resource["meta"]["security"].as_array().into_iter().flatten();
    labels.into_iter().any(|it| it["code"] == "REDACTED")
}

#[tokio::test]
async fn a_report_goes_without_what_may_not_go_and_nothing_tells_it() {
    let mut gateway = TestGateway::start().await;
    sensitive_report(&mut gateway).await;

    gateway.settle().await;

    let report = only(&gateway, "DiagnosticReport");
    assert_eq!(report["result"].as_array().unwrap().len(), 1);
    assert_eq!(gateway.lakeside().server().all("Observation").len(), 1);
    assert!(!is_marked(&report));
}

#[tokio::test]
async fn the_clinic_may_allow_saying_that_something_was_taken_out() {
    let gateway_lines = "[consent]\nmark_redacted = true";
    let mut gateway = TestGateway::with(Options { gateway_lines, ..Options::default() }).await;
    sensitive_report(&mut gateway).await;

    gateway.settle().await;

    assert!(is_marked(&only(&gateway, "DiagnosticReport")));
}

#[tokio::test]
async fn how_a_reduced_report_was_made_is_on_record() {
    let mut gateway = TestGateway::start().await;
    sensitive_report(&mut gateway).await;

    gateway.settle().await;

    let filter = AuditFilter { kind: Some(AuditKind::Disclosure), limit: 1, ..AuditFilter::default() };
    let record = gateway.gateway().parts().store.audit_records(filter).await.unwrap().remove(0).record;
    let content: Value = json::parse(record.content.reveal()).unwrap();
    let source = content["provenance"]["entity"][0]["what"]["reference"].as_str().unwrap();
    assert_eq!(record.outcome, "redact");
    assert!(source.starts_with("DiagnosticReport/") && source.ends_with("/_history/1"), "{source}");
    assert_eq!(gateway.lakeside().server().all("Provenance").len(), 0);
}

#[tokio::test]
async fn what_would_not_be_valid_without_its_secret_part_is_held() {
    let mut gateway = TestGateway::start().await;
    let referral = gateway.referral(1).await;
    let mut report = gateway.clinic().report_results(&referral);
    let label = object!({ "coding": [{ "system": ACT_CODE, "code": "PSYTHPN" }] });
    report["code"]["extension"] = object!([{
        "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label",
        "valueCodeableConcept": label,
    }]);
    gateway.clinic().server().update(report);

    gateway.settle().await;

    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("reduced-not-valid"));
    assert_eq!(sent(&gateway), [""; 0]);
}
