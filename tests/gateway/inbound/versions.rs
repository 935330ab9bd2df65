//! The same referral in every version of FHIR.

use std::collections::BTreeSet;

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::Value;

use crate::fixtures::{Case, PARTNERS, cases, options, send};
use crate::support::{TestGateway, answered_task, assert_refused, issues_of, part_mut};

/// What another version cannot say, or says otherwise: elements of the clinic's resources that then differ.
const DIFFERENT: [(&str, &[&str]); 4] = [
    ("lakeside", &[]),
    (
        "millpond",
        &[
            // It has no insurance, no classes of a Coverage, and one rule of another kind in a Consent.
            "Condition.asserter",
            "Condition.clinicalStatus",
            "Condition.recorder",
            "Condition.verificationStatus",
            "Consent.policyRule",
            "Consent.provision",
            "Consent.scope",
            "Consent.verification",
            "Coverage.class",
            "Coverage.costToBeneficiary",
            "ServiceRequest.insurance",
        ],
    ),
    ("oakfield", &[]),
    // Who must keep a Consent's rules has no sure counterpart; exceptions have no purpose of their own here.
    ("summit", &["Consent.organization", "Consent.provision", "Consent.scope"]),
];

fn complete(partner: &str) -> Case {
    cases().into_iter().find(|it| it.name == format!("{partner}/complete-bundle")).unwrap()
}

async fn taken(partner: &'static str) -> (TestGateway, Reply) {
    let mut gateway = TestGateway::with(options(partner)).await;
    let reply = send(&mut gateway, &complete(partner)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    gateway.settle().await;
    (gateway, reply)
}

/// What the clinic's server has, without what differs from run to run and what rides along for the way back.
fn stored(gateway: &TestGateway) -> Vec<Value> {
    let types = [
        "Patient",
        "ServiceRequest",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Coverage",
        "Condition",
        "Observation",
        "DocumentReference",
        "Consent",
        "Task",
    ];
    types.iter().flat_map(|it| gateway.clinic().server().all(it)).map(bare).collect()
}

fn bare(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, it| match name.as_str() {
                "id" | "meta" | "reference" | "authoredOn" | "lastModified" => {
                    !it.is_string() && name != "meta"
                }
                "extension" => {
                    let list = it.as_array_mut().unwrap();
                    list.retain(|it| {
                        !it["url"].as_str().unwrap().contains("/StructureDefinition/extension-")
                    });
                    !list.is_empty()
                }
                // The gateway's own names for its effects are new each time.
                "identifier" => {
                    if let Some(list) = it.as_array_mut() {
                        list.retain(|it| !it["system"].as_str().unwrap_or_default().contains("127.0.0.1"));
                    }
                    true
                }
                _ => true,
            });
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

#[tokio::test]
async fn the_same_referral_in_any_version_makes_the_same_resources_at_the_clinic() {
    let (gateway, _) = taken("lakeside").await;
    let expected = stored(&gateway);
    assert_eq!(expected.len(), 13);

    for (partner, differences) in DIFFERENT {
        let (gateway, _) = taken(partner).await;
        let found = stored(&gateway);

        assert_eq!(found.len(), expected.len(), "{partner}");
        let mut differing = BTreeSet::new();
        for (one, other) in expected.iter().zip(&found) {
            assert_eq!(one["resourceType"], other["resourceType"]);
            let names = one.as_object().unwrap().keys().chain(other.as_object().unwrap().keys());
            for name in names.filter(|it| neutral(&one[*it], partner) != neutral(&other[*it], partner)) {
                differing.insert(format!("{}.{name}", one["resourceType"].as_str().unwrap()));
            }
        }
        assert_eq!(differing.iter().map(String::as_str).collect::<Vec<_>>(), differences, "{partner}");
    }
}

/// A value without the partner's own name in it and without this gateway's address.
fn neutral(value: &Value, partner: &str) -> Value {
    let text = value.to_string().replace(partner, "lakeside");
    let mut words: Vec<&str> = text.split("127.0.0.1:").collect();
    for word in words.iter_mut().skip(1) {
        *word = word.trim_start_matches(|it: char| it.is_ascii_digit());
    }
    serde_json::from_str(&words.join("")).unwrap()
}

#[tokio::test]
async fn every_answer_is_in_the_version_of_the_caller() {
    for (partner, _) in PARTNERS {
        let (gateway, reply) = taken(partner).await;
        let (order, parameter, full) = match partner {
            "millpond" => ("ReferralRequest", "; fhirVersion=3.0", "3.0.2"),
            "oakfield" => ("ServiceRequest", "; fhirVersion=4.3", "4.3.0"),
            "summit" => ("ServiceRequest", "; fhirVersion=5.0", "5.0.0"),
            _ => ("ServiceRequest", "", "4.0.1"),
        };
        let media_type = format!("application/fhir+json{parameter}");

        assert_eq!(reply.headers["content-type"], media_type.as_str());
        let location = reply.body["entry"][1]["response"]["location"].as_str().unwrap();
        assert!(location.contains(&format!("/fhir/{order}/ref-")), "{location}");
        let path = location.split("/fhir/").nth(1).unwrap();
        let read = gateway.partner(partner).get(path).await.unwrap();
        assert_eq!((read.status.as_u16(), &read.body["resourceType"]), (200, &Value::from(order)), "{path}");
        assert_eq!(read.headers["content-type"], media_type.as_str());
        let sent = complete(partner).request["entry"][1]["resource"].clone();
        for element in ["code", "note", "serviceRequested", "type", "status", "identifier"] {
            assert_eq!(read.body[element], sent[element], "{partner}, {element}");
        }
        let metadata = gateway.partner(partner).get("metadata").await.unwrap();
        assert_eq!(metadata.body["fhirVersion"], full);
        let task = answered_task(&reply);
        assert_eq!(task["requester"].get("agent").is_some(), partner == "millpond", "{task}");
        let same = gateway.partner(partner).send_bundle(&complete(partner).request).await.unwrap();
        assert_eq!(
            (same.status.as_u16(), &same.headers["idempotency-replayed"]),
            (200, &"true".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn a_mistake_is_reported_at_the_place_where_the_sender_wrote_it() {
    let mut gateway = TestGateway::with(options("millpond")).await;
    let mut bundle = complete("millpond").request;
    let order = part_mut(&mut bundle, "ReferralRequest");
    order["priority"] = Value::from("soonish");
    order["requester"]["agent"]["surprise"] = Value::from(true);
    order["reasonCodes"] = Value::from(true);

    let reply = gateway.send_bundle("millpond", &bundle).await;

    assert_eq!(reply.status, 422);
    let found = issues_of(&reply);
    for (code, place) in [
        ("SEND_ELEMENT_UNKNOWN", "Bundle.entry[1].resource.requester.agent.surprise"),
        ("SEND_ELEMENT_UNKNOWN", "Bundle.entry[1].resource.reasonCodes"),
        ("SEND_CODE_UNKNOWN", "Bundle.entry[1].resource.priority"),
    ] {
        assert!(found.contains(&(code.to_owned(), place.to_owned())), "{code} {place}: {found:?}");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn another_version_than_was_agreed_is_refused_before_anything_is_read() {
    let gateway = TestGateway::with(options("summit")).await;
    let r4 = "application/fhir+json; fhirVersion=4.0";

    let sent = gateway.call_as("summit", "POST", "/fhir").await.header("content-type", r4);
    assert_refused(&sent.body("{}").send().await, 415, "SEND_CONTENT_TYPE");
    let read = gateway.call_as("summit", "GET", "/fhir/Task").await.header("accept", r4);
    assert_refused(&read.send().await, 406, "SEND_ACCEPT");
    let r5 = "application/fhir+json; fhirVersion=5.0";
    let read = gateway.call_as("summit", "GET", "/fhir/Task").await.header("accept", r5);
    assert_eq!(read.send().await.status, 200);
}
