//! Updates go out in the version of FHIR that the partner speaks.

use referral_gateway::sandbox::clinic::ClinicReferral;
use serde_json::json;

use crate::fixtures::{cases, options, send};
use crate::support::{Options, TestGateway};

async fn referred(partner: &'static str, mode: &'static str) -> (TestGateway, ClinicReferral) {
    let options = Options { mode, preset: "permit-all-authorised", ..options(partner) };
    let mut gateway = TestGateway::with(options).await;
    let mut case = cases().into_iter().find(|it| it.name == format!("{partner}/complete-bundle")).unwrap();
    // What the partner's own Consent says is not the matter here.
    case.request["entry"].as_array_mut().unwrap().retain(|it| it["resource"]["resourceType"] != "Consent");
    assert_eq!(send(&mut gateway, &case).await.status, 200);
    gateway.settle().await;
    let referral = gateway.clinic().referrals().remove(0);
    (gateway, referral)
}

#[tokio::test]
async fn what_is_pushed_says_its_version_and_is_in_it() {
    for (partner, parameter) in [("millpond", "3.0"), ("oakfield", "4.3"), ("summit", "5.0")] {
        let (gateway, referral) = referred(partner, "rest").await;
        gateway.clinic().accept(&referral);
        gateway.clinic().send_message(&referral, "Please call us.");

        gateway.settle().await;

        let server = gateway.partner(partner).server();
        let media_type = format!("application/fhir+json; fhirVersion={parameter}");
        let posted: Vec<_> = server.requests().into_iter().filter(|it| it.method == "POST").collect();
        assert!(posted.len() >= 2, "{partner}");
        for request in &posted {
            assert_eq!(request.header("accept"), Some(media_type.as_str()), "{partner}");
            assert_eq!(request.header("content-type"), Some(media_type.as_str()), "{partner}");
        }
        assert_eq!(server.all("Task")[0]["status"], "accepted");
        let payload = &server.all("Communication")[0]["payload"][0];
        if partner == "summit" {
            assert_eq!(*payload, json!({ "contentCodeableConcept": { "text": "Please call us." } }));
        } else {
            assert_eq!(*payload, json!({ "contentString": "Please call us." }));
        }
    }
}

#[tokio::test]
async fn what_is_read_from_the_inbox_is_in_the_version_of_the_reader() {
    let (gateway, referral) = referred("summit", "inbox").await;
    gateway.clinic().send_message(&referral, "Please call us.");
    gateway.settle().await;

    let reply = gateway.partner("summit").get("Communication").await.unwrap();

    assert_eq!(reply.headers["content-type"], "application/fhir+json; fhirVersion=5.0");
    let message = &reply.body["entry"][0]["resource"];
    assert_eq!(message["payload"], json!([{ "contentCodeableConcept": { "text": "Please call us." } }]));
    let read =
        gateway.partner("summit").get(&format!("Communication/{}", message["id"].as_str().unwrap())).await;
    assert_eq!(read.unwrap().body, *message);
}
