//! One case per folder of fixtures/: `request.json`, and `outcome.json` where it is to be refused.

use std::fs;
use std::path::{Path, PathBuf};

use referral_gateway::fhir::json;
use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::Value;

use crate::support::{Options, TestGateway, issues_of};

/// Whose messages there are, and what their files say besides.
pub const PARTNERS: [(&str, &str); 4] = [
    ("lakeside", ""),
    ("millpond", "fhir_version = \"3.0\""),
    ("oakfield", "fhir_version = \"4.3\""),
    ("summit", "fhir_version = \"5.0\""),
];

/// One message and what becomes of it.
pub struct Case {
    pub name: String,
    /// Whose message it is.
    pub partner: &'static str,
    pub request: Value,
    /// None: it is taken.
    pub outcome: Option<Value>,
}

/// Every case, in the order of its name.
pub fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders: Vec<PathBuf> = children(&root).iter().flat_map(|it| children(it)).collect();
    folders.sort();
    folders.iter().filter(|it| it.join("request.json").exists()).map(|it| case(it, &root)).collect()
}

#[tokio::test]
async fn every_fixture_is_taken_or_refused_as_it_says() {
    let cases = cases();
    assert!(cases.len() > 10 && cases.iter().any(|it| it.outcome.is_none()));
    let mut wrong = Vec::new();

    for case in &cases {
        let found = match &case.outcome {
            Some(outcome) => refused(case, outcome).await,
            None => taken(case).await,
        };
        wrong.extend(found.err().map(|what| format!("{}: {what}", case.name)));
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn refused(case: &Case, outcome: &Value) -> Result<(), String> {
    let mut gateway = TestGateway::with(options(case.partner)).await;

    let reply = send(&mut gateway, case).await;

    gateway.assert_nothing_recorded();
    let expected: Vec<(String, String)> = outcome["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["code"]), text(&it["expression"])))
        .collect();
    let right = outcome["status"] == reply.status.as_u16() && issues_of(&reply) == expected;
    if right { Ok(()) } else { Err(format!("{} {}", reply.status, reply.body)) }
}

async fn taken(case: &Case) -> Result<(), String> {
    let mut gateway = TestGateway::with(options(case.partner)).await;

    let reply = send(&mut gateway, case).await;
    gateway.settle().await;

    let right = reply.status.is_success() && gateway.clinic().referrals().len() == 1;
    if right { Ok(()) } else { Err(format!("{} {}", reply.status, reply.body)) }
}

/// A gateway with this one partner, which speaks its version of FHIR.
pub fn options(partner: &'static str) -> Options {
    let partner_heads = PARTNERS.into_iter().collect();
    Options { partners: vec![partner], partner_heads, ..Options::default() }
}

/// Sends it through the door that is its own.
pub async fn send(gateway: &mut TestGateway, case: &Case) -> Reply {
    if case.request["resourceType"] == "Bundle" {
        gateway.send_bundle(case.partner, &case.request).await
    } else {
        gateway.send_service_request(case.partner, &case.request).await
    }
}

fn case(folder: &Path, root: &Path) -> Case {
    let read = |name: &str| fs::read(folder.join(name)).ok().map(|it| json::parse(&it).unwrap());
    let owner = folder.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let (partner, _) = PARTNERS.into_iter().find(|(it, _)| *it == owner).unwrap();
    Case {
        partner,
        name: folder.strip_prefix(root).unwrap().display().to_string(),
        request: read("request.json").unwrap(),
        outcome: read("outcome.json"),
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    entries.filter(|it| it.is_dir()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
