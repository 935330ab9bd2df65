//! What stands at the clinic when a referral has arrived.

use referral_gateway::fhir::coding::has_coding;
use referral_gateway::fhir::reference;
use referral_gateway::sandbox::fhir_server::FhirServer;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::{Value, json};

use crate::support::{TestGateway, part};

/// What a referral becomes; the clinic's own Organization and Practitioner stand there already.
const RECORD: [(&str, usize); 12] = [
    ("Patient", 1),
    ("Practitioner", 2),
    ("PractitionerRole", 1),
    ("Organization", 2),
    ("Coverage", 1),
    ("Condition", 1),
    ("Observation", 1),
    ("DocumentReference", 1),
    ("Consent", 1),
    ("ServiceRequest", 1),
    ("Task", 1),
    ("Provenance", 1),
];

#[tokio::test]
async fn a_bundle_becomes_one_resource_for_each_part_and_a_provenance() {
    let mut gateway = TestGateway::start().await;

    gateway.referral(1).await;

    assert_eq!(record(gateway.clinic().server()), RECORD);
    assert!(gateway.clinic().server().all("Binary").is_empty());
}

#[tokio::test]
async fn a_single_request_becomes_the_same_record() {
    let mut gateway = TestGateway::start().await;
    let request = people::service_request(1, &ReferralOptions::default());

    gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;

    assert_eq!(record(gateway.clinic().server()), RECORD);
    assert!(gateway.clinic().server().all("ServiceRequest")[0].get("contained").is_none());
}

#[tokio::test]
async fn the_order_is_the_fillers_and_names_the_placers() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let order = &gateway.clinic().server().all("ServiceRequest")[0];
    let placer = &part(&bundle, "ServiceRequest")["identifier"][0];
    assert_eq!((&order["intent"], &order["status"]), (&json!("filler-order"), &json!("active")));
    assert_eq!(order["basedOn"], json!([{ "type": "ServiceRequest", "identifier": placer }]));
    assert!(order["identifier"].as_array().unwrap().contains(placer), "{order}");
    for element in ["code", "priority", "occurrencePeriod", "authoredOn", "category", "note"] {
        assert_eq!(order[element], part(&bundle, "ServiceRequest")[element], "{element}");
    }
}

#[tokio::test]
async fn every_identifier_of_the_placer_is_kept() {
    let mut gateway = TestGateway::start().await;
    let mut request = people::service_request(1, &ReferralOptions::default());
    let more = json!({ "system": "https://lakeside.example/fhir/sid/second", "value": "2ND-1" });
    request["identifier"].as_array_mut().unwrap().push(more);

    let reply = gateway.send_service_request("lakeside", &request).await;
    gateway.settle().await;

    let order = &gateway.clinic().server().all("ServiceRequest")[0];
    for resource in [order, &reply.body] {
        let values: Vec<&Value> =
            resource["identifier"].as_array().unwrap().iter().map(|it| &it["value"]).collect();
        assert!(values.contains(&&json!("PLAC-00000001")) && values.contains(&&json!("2ND-1")), "{values:?}");
    }
}

#[tokio::test]
async fn one_coordination_task_asks_the_clinic_to_fulfil_the_order() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let task = &gateway.clinic().server().all("Task")[0];
    let order = json!({ "reference": "ServiceRequest/1", "type": "ServiceRequest" });
    let placer = &part(&bundle, "Task")["identifier"][0];
    assert!(has_coding(&task["code"], "http://hl7.org/fhir/CodeSystem/task-code", "fulfill"));
    assert_eq!((&task["status"], &task["intent"]), (&json!("requested"), &json!("order")));
    assert_eq!((&task["focus"], &task["basedOn"]), (&order, &json!([order])));
    assert_eq!(task["partOf"], json!([{ "type": "Task", "identifier": placer }]));
    assert_eq!(task["owner"]["identifier"]["value"], "1999999992");
    assert_eq!(task["requester"]["identifier"]["value"], "1234567893");
}

#[tokio::test]
async fn provenance_tells_of_everything_who_sent_it() {
    let mut gateway = TestGateway::start().await;

    gateway.referral(1).await;

    let provenance = &gateway.clinic().server().all("Provenance")[0];
    let targets = provenance["target"].as_array().unwrap();
    assert_eq!(targets.len(), 11);
    for kind in RECORD.map(|it| it.0).iter().filter(|it| **it != "Provenance") {
        let names = |it: &Value| it["reference"].as_str().unwrap().starts_with(&format!("{kind}/"));
        assert!(targets.iter().any(names), "{kind} is no target");
    }
    assert_eq!(provenance["agent"][0]["who"]["identifier"]["value"], "1234567893");
    assert_eq!(provenance["recorded"], "2026-03-10T15:00:00Z");
}

#[tokio::test]
async fn every_reference_at_the_clinic_names_what_is_there() {
    let mut gateway = TestGateway::start().await;

    gateway.referral(1).await;

    let server = gateway.clinic().server();
    for resource in RECORD.iter().flat_map(|(kind, _)| server.all(kind)) {
        let kind = resource["resourceType"].as_str().unwrap();
        reference::for_each(&resource, kind, &mut |path, it| {
            if let Some(address) = it["reference"].as_str() {
                let (kind, id) = address.split_once('/').expect("a relative reference");
                assert!(server.read(kind, id).is_some(), "{path}: {address}");
            }
        });
    }
}

#[tokio::test]
async fn a_code_is_mapped_and_the_original_kept() {
    let mut gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default());

    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let sent = &part(&bundle, "ServiceRequest")["reasonCode"][0]["coding"][0];
    let codings = gateway.clinic().server().all("ServiceRequest")[0]["reasonCode"][0]["coding"].clone();
    assert_eq!((&codings[0], codings.as_array().unwrap().len()), (sent, 2));
    assert_eq!(codings[1]["system"], "http://hl7.org/fhir/sid/icd-10-cm");
    assert_eq!(codings[1]["code"], part(&bundle, "Condition")["code"]["coding"][0]["code"]);
}

#[tokio::test]
async fn a_large_letter_becomes_a_binary() {
    let mut gateway = TestGateway::start().await;
    let options = ReferralOptions { letter_bytes: 300_000, ..ReferralOptions::default() };
    let bundle = people::referral(1, &options);

    gateway.send_bundle("lakeside", &bundle).await;
    gateway.settle().await;

    let binary = &gateway.clinic().server().all("Binary")[0];
    let sent = &part(&bundle, "DocumentReference")["content"][0]["attachment"];
    let attachment =
        gateway.clinic().server().all("DocumentReference")[0]["content"][0]["attachment"].clone();
    assert_eq!((&binary["data"], &binary["contentType"]), (&sent["data"], &sent["contentType"]));
    assert_eq!(attachment["url"], "Binary/1");
    assert!(attachment.get("data").is_none());
}

fn record(server: &FhirServer) -> [(&'static str, usize); 12] {
    RECORD.map(|(kind, _)| (kind, server.all(kind).len()))
}
