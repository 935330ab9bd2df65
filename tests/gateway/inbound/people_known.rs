//! Whom the clinic knows already is not copied.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use crate::support::{TestGateway, part, part_mut};

#[tokio::test]
async fn a_patient_whom_the_clinic_knows_by_this_identifier_is_used_and_left_alone() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let identifier = &part(&bundle, "Patient")["identifier"];
    let known = gateway.clinic().server().create(json!({
        "resourceType": "Patient", "identifier": identifier, "name": [{ "family": "As the clinic has it" }],
    }));

    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(gateway.clinic().server().all("Patient"), [known]);
    let order = &gateway.clinic().server().all("ServiceRequest")[0];
    assert_eq!(order["subject"]["reference"], "Patient/1");
}

#[tokio::test]
async fn a_second_referral_of_a_patient_adds_an_order_and_nobody() {
    let mut gateway = TestGateway::start().await;
    let first = people::referral(1, &ReferralOptions::default());
    let mut second = first.clone();
    part_mut(&mut second, "ServiceRequest")["identifier"][0]["value"] = json!("PLAC-SECOND");
    part_mut(&mut second, "Task")["identifier"][0]["value"] = json!("TASK-SECOND");

    gateway.send_bundle("lakeside", &first).await;
    gateway.send_bundle("lakeside", &second).await;
    gateway.settle().await;

    let server = gateway.clinic().server();
    assert_eq!((server.all("ServiceRequest").len(), server.all("Task").len()), (2, 2));
    assert_eq!((server.all("Patient").len(), server.all("Practitioner").len()), (1, 2));
}

#[tokio::test]
async fn the_same_organisation_twice_in_one_bundle_stands_at_the_clinic_once() {
    let mut gateway = TestGateway::start().await;
    let mut bundle = people::referral(1, &ReferralOptions::default());
    let twin = "urn:uuid:1b4b1f1e-0000-4000-8000-000000000001";
    let mut again = bundle["entry"][1].clone();
    again["fullUrl"] = json!(twin);
    part_mut(&mut bundle, "PractitionerRole")["organization"]["reference"] = json!(twin);
    bundle["entry"].as_array_mut().unwrap().push(again);

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(gateway.clinic().referrals().len(), 1);
    assert_eq!(gateway.clinic().server().all("Organization").len(), 2);
    let role = &gateway.clinic().server().all("PractitionerRole")[0];
    assert_eq!(role["organization"]["reference"], "Organization/2");
}

#[tokio::test]
async fn two_records_of_one_patient_at_the_clinic_are_not_chosen_between() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());
    let identifier = part(&bundle, "Patient")["identifier"].clone();
    for _ in 0..2 {
        gateway.clinic().server().create(json!({ "resourceType": "Patient", "identifier": identifier }));
    }

    let reply = gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    assert_eq!(reply.status, 200, "the referral is ours to keep until a person has looked");
    let quarantined = gateway.deliveries(DeliveryState::Quarantined).await;
    assert_eq!(quarantined[0].reason.as_deref(), Some("several-matches"));
    assert!(gateway.clinic().server().all("ServiceRequest").is_empty());
}
