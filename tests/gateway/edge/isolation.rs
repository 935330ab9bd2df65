//! A partner sees its own, and cannot tell what is somebody else's from what is not there.

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::support::{Options, TestGateway, answered_task, assert_refused};

const UNKNOWN: &str = "ref-0197a4c2-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_partner_reads_every_part_of_its_own_referral() {
    let (gateway, id) = two_partners().await;

    for path in [
        format!("Task/{id}"),
        format!("ServiceRequest/{id}"),
        format!("Patient/{id}-0"),
        format!("Coverage/{id}-4"),
        format!("DocumentReference/{id}-7"),
        format!("Consent/{id}-8"),
    ] {
        let reply = gateway.lakeside().get(&path).await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.body["resourceType"], path.split('/').next().unwrap());
        assert!(reply.headers.contains_key("etag") && reply.headers.contains_key("last-modified"));
    }
}

#[tokio::test]
async fn another_partners_id_an_unknown_id_and_a_malformed_id_answer_alike() {
    let (gateway, id) = two_partners().await;

    for (resource_type, suffix) in
        [("Task", ""), ("ServiceRequest", ""), ("Patient", "-0"), ("Consent", "-8")]
    {
        let mut answers = Vec::new();
        for id in [id.as_str(), UNKNOWN, "ref-x", "ref-0197a4c2-0000-7000-8000-00000000000", "ref-\u{e9}"] {
            let reply =
                gateway.partner("hillside").get(&format!("{resource_type}/{id}{suffix}")).await.unwrap();
            assert_refused(&reply, 404, "SEND_NOT_FOUND");
            answers.push(without_id(reply));
        }
        assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    }
}

#[tokio::test]
async fn a_part_is_found_under_its_own_type_and_number_only() {
    let (gateway, id) = two_partners().await;

    for path in [
        format!("Patient/{id}"),
        format!("Patient/{id}-1"),
        format!("Organization/{id}-0"),
        format!("Patient/{id}-00"),
        format!("Patient/{id}-99"),
        format!("Patient/{id}-18446744073709551616"),
        format!("Task/{id}-10"),
        format!("ServiceRequest/{id}-9"),
        format!("Task/{}", id.to_uppercase()),
        format!("Task/{id}/_history/1"),
        format!("ServiceRequest/{id}/_history/2"),
    ] {
        let reply = gateway.lakeside().get(&path).await.unwrap();
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn searches_find_ones_own_only() {
    let (gateway, id) = two_partners().await;
    let theirs = gateway.partner("hillside");

    for query in [
        "Task".to_owned(),
        "ServiceRequest".to_owned(),
        format!("Task?_id={id}"),
        format!("Task?based-on=ServiceRequest/{id}"),
        format!("Task?identifier={id}"),
        "ServiceRequest?identifier=https://lakeside.example/fhir/sid/placer|PLAC-00000001".to_owned(),
        format!("Task?_before={UNKNOWN}"),
    ] {
        let reply = theirs.get(&query).await.unwrap();
        assert_eq!((reply.status.as_u16(), &reply.body["type"]), (200, &Value::from("searchset")), "{query}");
        assert!(reply.body["entry"].as_array().is_none_or(Vec::is_empty), "{query}: {}", reply.body);
    }
}

/// Lakeside has sent a referral; hillside has not.
async fn two_partners() -> (TestGateway, String) {
    let options = Options { partners: vec!["lakeside", "hillside"], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let reply = gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    gateway.settle().await;
    let id = answered_task(&reply)["id"].as_str().unwrap().to_owned();
    (gateway, id)
}

/// All that a caller could tell two answers apart by, but for what is new with every request.
fn without_id(reply: Reply) -> (u16, Vec<String>, Value) {
    let Reply { status, headers, mut body } = reply;
    body["issue"][0]["diagnostics"].take();
    let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
    names.sort();
    (status.as_u16(), names, body)
}
