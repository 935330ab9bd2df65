//! The clinic's EHR asks what consent would say: a dry run that is itself on record.

use referral_gateway::model::audit::{AuditFilter, AuditKind};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::sandbox::clinic::{ClinicReferral, ConsentSays};
use referral_gateway::sandbox::gateway_client::{GatewayAccess, GatewayClient, Reply};
use referral_gateway::sandbox::people::{self, ConsentEnclosure, ReferralOptions};

use serde_json::{Value, json};

use crate::support::{Options, TestGateway, assert_refused};

const SECRET: &str = "canary-secret-of-the-clinic";
const NPI: &str = "http://hl7.org/fhir/sid/us-npi";

async fn start() -> (TestGateway, ClinicReferral) {
    let gateway_lines =
        "[clinic.client]\nclient_id = \"clinic-ehr\"\nclient_secret = \"canary-secret-of-the-clinic\"";
    let mut gateway = TestGateway::with(Options { gateway_lines, ..Options::default() }).await;
    let options = ReferralOptions { consent: ConsentEnclosure::LeftOut, ..ReferralOptions::default() };
    let sent = gateway.send_bundle("lakeside", &people::referral(1, &options)).await;
    assert_eq!(sent.status, 200);
    gateway.settle().await;
    let referral = gateway.clinic().referrals().remove(0);
    (gateway, referral)
}

async fn token(gateway: &TestGateway, scope: &str) -> String {
    let client = GatewayClient::new(GatewayAccess {
        public_url: gateway.public_url(),
        client_id: "clinic-ehr".to_owned(),
        client_secret: Sensitive::new(SECRET.to_owned()),
        scope: scope.to_owned(),
    });
    client.request_token().await.unwrap().body["access_token"].as_str().unwrap().to_owned()
}

async fn ask(gateway: &TestGateway, patient: &str, parameters: Value) -> Reply {
    let token = token(gateway, "system/Consent.r").await;
    let body = json!({ "resourceType": "Parameters", "parameter": parameters });
    let call = gateway.call("POST", &format!("/fhir/{patient}/$consent-check"));
    call.header("authorization", &format!("Bearer {token}")).fhir(body.to_string()).send().await
}

fn lakeside() -> Value {
    json!({ "name": "recipient", "valueIdentifier": { "system": NPI, "value": "1234567893" } })
}

fn about(reference: &str) -> Value {
    json!({ "name": "reference", "valueReference": { "reference": reference } })
}

fn value<'r>(reply: &'r Reply, name: &str) -> &'r Value {
    let all = reply.body["parameter"].as_array().unwrap();
    let found = all.iter().find(|it| it["name"] == name).unwrap();
    found.as_object().unwrap().iter().find(|(key, _)| key.starts_with("value")).unwrap().1
}

async fn checks(gateway: &TestGateway) -> usize {
    let filter = AuditFilter { kind: Some(AuditKind::ConsentCheck), limit: 100, ..AuditFilter::default() };
    gateway.gateway().parts().store.audit_records(filter).await.unwrap().len()
}

#[tokio::test]
async fn the_answer_says_what_would_happen_and_why_and_nothing_is_sent() {
    let (gateway, referral) = start().await;
    let task = gateway.clinic().accept(&referral);
    let task = format!("Task/{}", task["id"].as_str().unwrap());

    let held = ask(&gateway, &referral.patient, json!([lakeside(), about(&task)])).await;
    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    let released = ask(&gateway, &referral.patient, json!([lakeside(), about(&task)])).await;

    assert_eq!((value(&held, "outcome"), value(&held, "rule")), (&json!("hold"), &json!("no-consent")));
    assert_eq!(value(&released, "outcome"), "permit");
    assert!(value(&released, "explanation").as_str().unwrap().contains("Consent/"));
    assert!(gateway.lakeside().server().requests().is_empty());
    assert_eq!(checks(&gateway).await, 2);
    gateway.settle().await;
}

#[tokio::test]
async fn a_resource_may_be_given_itself_and_another_purpose_and_time() {
    let (gateway, referral) = start().await;
    let mut consent = gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    consent["provision"]["period"] = json!({ "start": "2027-01-01" });
    gateway.clinic().server().update(consent);
    let observation = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": { "reference": referral.patient },
    });
    let resource = json!({ "name": "resource", "resource": observation });

    let now = ask(&gateway, &referral.patient, json!([lakeside(), resource])).await;
    let then = json!({ "name": "at", "valueInstant": "2027-02-01T00:00:00Z" });
    let then = ask(&gateway, &referral.patient, json!([lakeside(), resource, then])).await;
    let purpose = json!({ "name": "purpose", "valueCode": "HMARKT" });
    let marketing = ask(&gateway, &referral.patient, json!([lakeside(), resource, purpose])).await;

    assert_eq!(value(&now, "outcome"), "hold");
    assert_eq!(value(&now, "nextBoundary"), "2027-01-01T00:00:00Z");
    assert_eq!(value(&then, "outcome"), "permit");
    assert_eq!(value(&marketing, "outcome"), "hold");
}

#[tokio::test]
async fn a_question_that_is_not_clear_is_refused_with_the_place() {
    let (gateway, referral) = start().await;
    let task = about("Task/1");
    for parameters in [
        json!([task]),
        json!([lakeside()]),
        json!([lakeside(), task, task]),
        json!([lakeside(), task, { "name": "colour", "valueCode": "blue" }]),
        json!([lakeside(), task, { "name": "purpose", "valueCode": "FUN" }]),
        json!([lakeside(), task, { "name": "action", "valueCode": "FUN" }]),
        json!([lakeside(), task, { "name": "at", "valueInstant": "soon" }]),
        json!([lakeside(), about("https://elsewhere.example/fhir/Task/1")]),
        json!([{ "name": "recipient", "valueString": "lakeside" }, task]),
    ] {
        let reply = ask(&gateway, &referral.patient, parameters).await;

        assert_refused(&reply, 422, "SEND_CONSENT_CHECK");
    }
    assert_eq!(checks(&gateway).await, 0);
}

#[tokio::test]
async fn an_unknown_patient_and_an_unknown_resource_are_not_found() {
    let (gateway, referral) = start().await;

    let nobody = ask(&gateway, "Patient/nobody", json!([lakeside(), about(&referral.task)])).await;
    let nothing = ask(&gateway, &referral.patient, json!([lakeside(), about("Task/nothing")])).await;

    assert_refused(&nobody, 404, "SEND_NOT_FOUND");
    assert_refused(&nothing, 404, "SEND_NOT_FOUND");
}

#[tokio::test]
async fn a_partner_and_a_token_without_the_scope_may_not_ask() {
    let (gateway, referral) = start().await;
    let path = format!("/fhir/{}/$consent-check", referral.patient);

    let partner = gateway.lakeside_calls("POST", &path).await.fhir("{}").send().await;
    let token = token(&gateway, "system/Task.r").await;
    let call = gateway.call("POST", &path).header("authorization", &format!("Bearer {token}"));
    let narrow = call.fhir("{}").send().await;

    assert_refused(&partner, 403, "SEND_SCOPE");
    assert_refused(&narrow, 403, "SEND_SCOPE");
    assert_eq!(gateway.call("POST", &path).fhir("{}").send().await.status, 401);
}

#[tokio::test]
async fn while_the_clinic_is_down_nothing_can_be_told() {
    let (gateway, referral) = start().await;
    gateway.clinic().server().stop().await;

    let reply = ask(&gateway, &referral.patient, json!([lakeside(), about(&referral.task)])).await;

    assert_refused(&reply, 503, "CLINIC_UNAVAILABLE");
}
