//! Third-party examples of referral guides, where they are at hand: each is accepted, or refused for a
//! reason that is told. They are run against and not copied, so a checkout without them has nothing to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use referral_gateway::validation;
use serde_json::{Value, json};

use crate::support::TestGateway;

/// Folders of examples, one per guide.
const GUIDES: [&str; 4] = ["bser/compiled", "cow/compiled", "sdoh-cc/compiled", "us-core"];

#[tokio::test]
async fn every_referral_like_example_is_accepted_or_refused_with_its_reason() {
    let Some(examples) = examples() else {
        return;
    };
    let mut gateway = TestGateway::start().await;
    let mut tally = Tally::default();

    for guide in GUIDES {
        let resources = read_guide(&examples.join(guide));
        for resource in resources.values().filter(|it| is_referral_like(it)) {
            tally.send(&mut gateway, "alone", resource).await;
        }
        for order in resources.values().filter(|it| it["resourceType"] == "ServiceRequest") {
            let assembled = with_what_it_refers_to(order, &resources);
            tally.send(&mut gateway, "assembled", &assembled).await;
            tally.send(&mut gateway, "completed", &with_stand_ins(assembled)).await;
        }
    }
    gateway.settle().await;

    println!("{tally:#?}");
    assert!(tally.total() > 50, "{tally:?}");
    assert!(tally.accepted > 0, "{tally:?}");
    assert_eq!(gateway.clinic().referrals().len(), tally.accepted, "{tally:?}");
}

#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    async fn send(&mut self, gateway: &mut TestGateway, how: &str, message: &Value) {
        let reply = match message["resourceType"].as_str() {
            Some("ServiceRequest") => gateway.send_service_request("lakeside", message).await,
            _ => gateway.send_bundle("lakeside", message).await,
        };
        if reply.status.is_success() {
            self.accepted += 1;
            return;
        }
        assert!(reply.status.is_client_error(), "{how} {}: {}", message["id"], reply.body);
        assert_eq!(reply.body["resourceType"], "OperationOutcome");
        let code = reply.body["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap();
        *self.refused.entry(format!("{how} {} {code}", message["resourceType"])).or_default() += 1;
    }

    fn total(&self) -> usize {
        self.accepted + self.refused.values().sum::<usize>()
    }
}

fn examples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples");
    folder.exists().then_some(folder)
}

/// The resources of a guide by `Type/id`.
fn read_guide(folder: &Path) -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read =
        files.filter_map(|file| serde_json::from_str::<Value>(&fs::read_to_string(file).unwrap()).ok());
    read.filter_map(|it| Some((format!("{}/{}", it["resourceType"].as_str()?, it["id"].as_str()?), it)))
        .collect()
}

fn is_referral_like(resource: &Value) -> bool {
    matches!(resource["resourceType"].as_str(), Some("Bundle" | "ServiceRequest" | "Task" | "MessageHeader"))
}

/// A transaction of an order and everything in the guide that it leads to, as a careful sender would make it.
fn with_what_it_refers_to(order: &Value, resources: &BTreeMap<String, Value>) -> Value {
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    let mut waiting = vec![order.clone()];
    while let Some(resource) = waiting.pop() {
        references(&resource, &mut |name| {
            let found =
                resources.get(name).filter(|it| validation::supports(it["resourceType"].as_str().unwrap()));
            if let Some(found) = found.filter(|it| it["resourceType"] != "ServiceRequest")
                && names.insert(name.to_owned())
            {
                waiting.push(found.clone());
            }
        });
        entries.push(entry(&resource));
    }
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

/// The same, with an invented resource for everything that the guide names and does not show, and under an
/// identifier of its own, so that it is no repeat of the one before.
fn with_stand_ins(mut bundle: Value) -> Value {
    let subject = bundle["entry"][0]["resource"]["subject"].clone();
    let id = bundle["entry"][0]["resource"]["id"].clone();
    bundle["identifier"] = json!({ "system": "https://ehr.example/completed", "value": id });
    let order = bundle["entry"][0]["resource"].as_object_mut().unwrap();
    order.remove("identifier");
    let shown: BTreeSet<String> = names_of_entries(&bundle);
    let mut missing = BTreeSet::new();
    references(&bundle, &mut |name| {
        if !shown.contains(name) {
            missing.insert(name.to_owned());
        }
    });
    let stand_ins = missing.iter().filter_map(|name| stand_in(name, &subject));
    let entries: Vec<Value> = stand_ins.map(|it| entry(&it)).collect();
    bundle["entry"].as_array_mut().unwrap().extend(entries);
    bundle
}

fn names_of_entries(bundle: &Value) -> BTreeSet<String> {
    let resources = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    resources
        .map(|it| format!("{}/{}", it["resourceType"].as_str().unwrap(), it["id"].as_str().unwrap()))
        .collect()
}

fn stand_in(name: &str, subject: &Value) -> Option<Value> {
    let (resource_type, id) = name.split_once('/')?;
    let mut resource = match resource_type {
        "Patient" => json!({ "identifier": [{ "system": "https://ehr.example/mrn", "value": id }] }),
        "Encounter" => json!({ "status": "finished", "class": { "code": "AMB" }, "subject": subject }),
        "Observation" => json!({ "status": "final", "code": { "text": "stand-in" }, "subject": subject }),
        "Condition" => json!({ "code": { "text": "stand-in" }, "subject": subject }),
        "Practitioner" | "PractitionerRole" | "Organization" | "Location" => {
            json!({ "identifier": [{ "system": "https://ehr.example/sid", "value": id }] })
        }
        _ => return None,
    };
    resource["resourceType"] = json!(resource_type);
    resource["id"] = json!(id);
    Some(resource)
}

fn entry(resource: &Value) -> Value {
    let (resource_type, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({
        "fullUrl": format!("https://ehr.example/fhir/{resource_type}/{id}"),
        "resource": resource,
        "request": { "method": "POST", "url": resource_type },
    })
}

fn references(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("reference").and_then(Value::as_str) {
                visit(name);
            }
            map.values().for_each(|child| references(child, visit));
        }
        Value::Array(list) => list.iter().for_each(|child| references(child, visit)),
        _ => {}
    }
}
