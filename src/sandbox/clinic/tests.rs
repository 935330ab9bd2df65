use std::sync::Arc;

use super::*;
use crate::model::clock::TestClock;
use crate::sandbox::fhir_server::FhirServerOptions;

/// A clinic with one referral, written as the gateway writes it: the placer's Task before the gateway's.
async fn clinic() -> (SimulatedClinic, ClinicReferral) {
    let clock = Arc::new(TestClock::at("2026-03-01T12:00:00.900Z".parse().unwrap()));
    let options = FhirServerOptions { clock, ..FhirServerOptions::default() };
    let clinic = SimulatedClinic::new(FhirServer::start(options).await.unwrap());
    let server = clinic.server();
    let patient = server.create(json!({ "resourceType": "Patient" }));
    let request = server.create(json!({
        "resourceType": "ServiceRequest", "intent": "filler-order", "subject": to(&reference(&patient)),
    }));
    for status in ["requested", "requested"] {
        server.create(json!({
            "resourceType": "Task",
            "status": status,
            "code": { "coding": [{ "system": TASK_CODE, "code": "fulfill" }] },
            "focus": to(&reference(&request)),
        }));
    }
    let referral = clinic.wait_for_referral(1, Duration::ZERO).await.unwrap();
    (clinic, referral)
}

#[tokio::test]
async fn the_staff_find_the_order_and_the_gateways_task() {
    let (clinic, referral) = clinic().await;

    assert_eq!(referral.service_request, "ServiceRequest/1");
    assert_eq!((referral.task.as_str(), referral.patient.as_str()), ("Task/2", "Patient/1"));
    assert_eq!(clinic.referrals(), [referral]);
}

#[tokio::test]
async fn the_task_tells_the_stage_of_the_referral() {
    let (clinic, referral) = clinic().await;

    assert_eq!(clinic.accept(&referral)["status"], "accepted");
    let appointment = clinic.schedule(&referral);
    assert_eq!(clinic.at(&referral.task)["businessStatus"]["coding"][0]["code"], "visit-scheduled");
    assert_eq!(appointment["start"], "2026-03-15T12:00:00Z");
    let report = clinic.report_results(&referral);
    clinic.add_output(&referral, &report);
    let done = clinic.complete(&referral);
    assert_eq!(done["status"], "completed");
    assert_eq!(done["output"][0]["valueReference"]["reference"], "DiagnosticReport/1");
}

#[tokio::test]
async fn every_piece_of_work_leads_back_to_the_referral() {
    let (clinic, referral) = clinic().await;

    let pieces = [
        clinic.schedule(&referral),
        clinic.send_message(&referral, "Please fast."),
        clinic.write_visit_summary(&referral),
        clinic.write_visit_document(&referral),
        clinic.write_psychotherapy_note(&referral),
        clinic.report_results(&referral),
        clinic.write_care_plan(&referral),
    ];

    for piece in pieces {
        let mut leads = false;
        crate::fhir::reference::for_each(&piece, "", &mut |_, it| {
            leads |= it["reference"] == referral.service_request.as_str();
        });
        assert!(leads, "{piece}");
    }
}

#[tokio::test]
async fn a_consent_is_in_force_at_once_until_it_is_revoked() {
    let (clinic, referral) = clinic().await;

    let consent = clinic.record_consent(&referral, ConsentSays::Permit);

    assert_eq!(consent["provision"]["period"]["start"], "2026-03-01T12:00:00Z");
    assert_eq!(clinic.revoke_consents(&referral), 1);
    assert_eq!(clinic.server().all("Consent")[0]["status"], "inactive");
    assert_eq!(clinic.revoke_consents(&referral), 0);
}
