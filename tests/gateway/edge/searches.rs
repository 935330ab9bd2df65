//! Partners search what they sent.

use std::collections::BTreeSet;

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::Value;

use crate::support::{TestGateway, answered_task, assert_refused};

#[tokio::test]
async fn a_referral_is_found_by_its_identifiers_and_its_id() {
    let (gateway, ids) = with_three_referrals().await;

    for query in [
        "identifier=https://lakeside.example/fhir/sid/placer|PLAC-00000002".to_owned(),
        format!("identifier={}", ids[1]),
        format!("identifier={}/fhir/referral|{}", gateway.public_url(), ids[1]),
        format!("_id={}", ids[1]),
        format!("based-on=ServiceRequest/{}", ids[1]),
        format!("based-on={}", ids[1]),
        format!("_id={}&_format=json&_count=1", ids[1]),
    ] {
        for resource_type in ["Task", "ServiceRequest"] {
            assert_eq!(
                search(&gateway, &format!("{resource_type}?{query}")).await,
                [ids[1].clone()],
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_empty_answer() {
    let (gateway, _) = with_three_referrals().await;

    for query in [
        "identifier=https://lakeside.example/fhir/sid/placer|PLAC-99999999",
        "identifier=https://elsewhere.example|PLAC-00000002",
        "identifier=",
        "_id=ref-x",
        "_id=",
    ] {
        assert!(search(&gateway, &format!("Task?{query}")).await.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn pages_show_everything_once_and_come_to_an_end() {
    let (gateway, ids) = with_three_referrals().await;

    for size in 1..=4 {
        let mut next = Some(format!("Task?_count={size}"));
        let (mut found, mut pages) = (Vec::new(), 0);
        while let Some(path) = next {
            let page = gateway.lakeside().get(&path).await.unwrap().body;
            found.extend(ids_of(&page));
            next = next_page(&gateway, &page);
            pages += 1;
        }
        assert_eq!(found.len(), 3, "pages of {size}");
        assert_eq!(BTreeSet::from_iter(&found), BTreeSet::from_iter(&ids));
        assert!(pages <= 4, "{pages} pages of {size}");
    }
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused_and_not_overlooked() {
    let gateway = TestGateway::start().await;

    for query in [
        "status=requested",
        "patient=Patient/1",
        "identifier:not=1",
        "_id=a&_id=b",
        "_count=many",
        "_count=-1",
        "_count=99999999999999999999",
        "_format=xml",
        "_before=yesterday",
        "_include=*",
        "%FF=1",
        "_id=a&identifier=b",
        "_id=a&based-on=b",
    ] {
        for resource_type in ["Task", "ServiceRequest"] {
            let reply = gateway.lakeside().get(&format!("{resource_type}?{query}")).await.unwrap();
            assert_refused(&reply, 400, "SEND_SEARCH_PARAMETER");
        }
    }
    for query in ["identifier=1", "_before=ref-1", "based-on=1", "status=booked"] {
        let reply = gateway.lakeside().get(&format!("Appointment?{query}")).await.unwrap();
        assert_refused(&reply, 400, "SEND_SEARCH_PARAMETER");
    }
}

async fn with_three_referrals() -> (TestGateway, Vec<String>) {
    let mut gateway = TestGateway::start().await;
    let mut ids = Vec::new();
    for seed in 1..=3 {
        let reply =
            gateway.send_bundle("lakeside", &people::referral(seed, &ReferralOptions::default())).await;
        ids.push(answered_task(&reply)["id"].as_str().unwrap().to_owned());
    }
    gateway.settle().await;
    (gateway, ids)
}

async fn search(gateway: &TestGateway, path: &str) -> Vec<String> {
    let reply = gateway.lakeside().get(path).await.unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    ids_of(&reply.body)
}

fn ids_of(page: &Value) -> Vec<String> {
    let entries = page["entry"].as_array().into_iter().flatten();
    entries.map(|it| it["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn next_page(gateway: &TestGateway, page: &Value) -> Option<String> {
    let links = page["link"].as_array().into_iter().flatten();
    let address = links.filter(|it| it["relation"] == "next").find_map(|it| it["url"].as_str())?;
    Some(address.strip_prefix(&format!("{}/fhir/", gateway.public_url())).unwrap().to_owned())
}
