//! No word about a patient leaves by a side door: not in a refusal, not in an address, not in the log.
//!
//! That the log is clean is asserted when any test of this binary ends.

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use crate::fixtures;
use crate::support::{TestGateway, part_mut};

const CANARY: &str = "Canarybird-Kept-In-No-Cage";

#[tokio::test]
async fn no_refusal_repeats_a_word_about_the_patient() {
    for case in fixtures::cases().into_iter().filter(|it| it.outcome.is_some()) {
        let mut gateway = TestGateway::start().await;

        let reply = fixtures::send(&mut gateway, &case).await;

        gateway.assert_no_patient_in(&reply.body.to_string());
        gateway.assert_no_patient_in(&format!("{:?}", reply.headers));
    }
}

#[tokio::test]
async fn no_refusal_repeats_a_wrong_value_whatever_the_element() {
    let mut gateway = TestGateway::start().await;

    for (resource_type, element) in [
        ("Patient", "gender"),
        ("Patient", "birthDate"),
        ("Patient", "active"),
        ("Patient", "name"),
        ("Patient", "deceasedDateTime"),
        ("Patient", "managingOrganization"),
        ("Coverage", "status"),
        ("Condition", "recordedDate"),
        ("Condition", "code"),
        ("Observation", "status"),
        ("ServiceRequest", "status"),
        ("ServiceRequest", "authoredOn"),
        ("ServiceRequest", "priority"),
        ("ServiceRequest", "subject"),
        ("Task", "status"),
    ] {
        for value in [json!(CANARY), json!([CANARY]), json!({ "reference": CANARY }), json!({ CANARY: 1 })] {
            refuse_silently(&mut gateway, resource_type, element, value).await;
        }
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_syntax_error_is_told_by_its_place_and_not_by_its_text() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    gateway.watch_for(&bundle);
    let good = bundle.to_string();

    for cut in (1..good.len()).step_by(good.len() / 40) {
        let reply = gateway.send_bytes(&good.as_bytes()[..cut]).await;
        assert_eq!(reply.status, 400);
        gateway.assert_no_patient_in(&reply.body.to_string());
    }

    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_conflict_does_not_tell_what_was_sent_before() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let mut other = bundle.clone();
    part_mut(&mut other, "Patient")["birthDate"] = json!("1950-05-05");
    gateway.send_bundle("lakeside", &bundle).await;

    let refused = gateway.send_bundle("lakeside", &other).await;
    gateway.settle().await;

    assert_eq!(refused.status, 422);
    gateway.assert_no_patient_in(&refused.body.to_string());
}

#[tokio::test]
async fn an_address_of_ours_says_nothing_about_the_patient() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    for entry in reply.body["entry"].as_array().unwrap() {
        gateway.assert_no_patient_in(&entry["response"].to_string());
        gateway.assert_no_patient_in(&entry["fullUrl"].to_string());
    }
}

#[tokio::test]
async fn what_a_caller_puts_into_an_address_does_not_reach_the_log() {
    let gateway = TestGateway::start().await;

    for path in [
        format!("/fhir/Task/{CANARY}"),
        format!("/fhir/{CANARY}"),
        format!("/{CANARY}"),
        format!("/fhir/Task?patient={CANARY}"),
        format!("/fhir/ServiceRequest?identifier={CANARY}"),
        format!("/hooks/clinic/{CANARY}"),
    ] {
        let call = gateway.lakeside_calls("GET", &path).await.header("x-request-id", CANARY);
        let reply = call.header("idempotency-key", CANARY).header("user-agent", CANARY).send().await;
        assert!(!reply.body.to_string().contains(CANARY), "{}", reply.body);
    }

    assert!(!gateway.log_text().contains(CANARY));
}

#[tokio::test]
async fn nothing_about_the_patient_is_stored_in_the_clear() {
    let mut gateway = TestGateway::start().await;
    gateway.referral(1).await;
    gateway.referral(2).await;

    gateway.stop().await;

    for file in std::fs::read_dir(gateway.folder()).unwrap().map(|it| it.unwrap().path()) {
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            gateway.assert_no_patient_in(&String::from_utf8_lossy(&bytes));
        }
    }
}

async fn refuse_silently(gateway: &mut TestGateway, resource_type: &str, element: &str, value: Value) {
    let mut bundle = people::referral(1, &ReferralOptions::default());
    part_mut(&mut bundle, resource_type)[element] = value;

    let reply = gateway.send_bytes(bundle.to_string()).await;

    let told = reply.body.to_string();
    assert_eq!(reply.status, 422, "{resource_type}.{element}: {told}");
    let named_by_sender =
        told.replace(&format!("{element}.{CANARY}"), "").replace(&format!("{element}[0].{CANARY}"), "");
    assert!(!named_by_sender.contains(CANARY), "{resource_type}.{element}: {told}");
    assert!(!gateway.log_text().contains(CANARY));
}
