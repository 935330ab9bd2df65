//! The guides that partners follow: what their published tables of states say, and a partner of each by
//! configuration alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use referral_gateway::model::dialect::Dialect;
use referral_gateway::model::referral_state::{Actor, ReferralState, Refused, Transitions};
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::translation::dialects::{DialectRules, TaskStatus};
use serde_json::Value;

use crate::process::{err, out, run};
use crate::support::{Options, TestGateway, assert_refused};

fn rules(dialect: Dialect) -> DialectRules {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/dialects");
    let text = fs::read_to_string(folder.join(dialect.word()).join("dialect.toml")).unwrap();
    DialectRules::parse(&text).unwrap()
}

/// A third-party table, where it is at hand.
fn table(name: &str) -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/tables").join(name);
    let text = fs::read_to_string(file).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The state of a status and business status; none is before it was sent.
fn state(rules: &DialectRules, status: &Value, business: &Value) -> Option<ReferralState> {
    if status == "draft" {
        return None;
    }
    let status = TaskStatus::of_code(status.as_str().unwrap()).unwrap();
    let state = rules.read(status, business.as_str());
    assert!(state.is_some(), "{status:?} {business} is a state of the guide");
    state
}

#[test]
fn each_row_of_the_table_of_bser_and_360x_is_allowed_to_its_actor_and_to_nobody_else() {
    let Some(table) = table("bser-360x-transitions.json") else {
        return;
    };
    let rules = rules(Dialect::Bser);
    let transitions = rules.transitions();
    let mut known = Vec::new();
    for row in table["transitions"].as_array().unwrap() {
        let (actor, other) = match row["actor"].as_str().unwrap() {
            "initiator" => (Actor::Placer, Actor::Filler),
            _ => (Actor::Filler, Actor::Placer),
        };
        let from = state(&rules, &row["from_status"], &row["from_business"]);
        let to = state(&rules, &row["to_status"], &row["to_business"]).unwrap();

        assert_eq!(transitions.judge(actor, from, to), Ok(()), "row {}", row["tid"]);
        if from != Some(to) {
            let refused = transitions.judge(other, from, to);
            assert!(refused.is_err(), "row {} is not for the other side", row["tid"]);
        }
        known.push((actor, from, to));
    }
    assert_eq!(known.len(), 34);
    nothing_beside(&transitions, &known);
}

/// What the table does not have is refused, between the states that it tells apart.
fn nothing_beside(transitions: &Transitions, known: &[(Actor, Option<ReferralState>, ReferralState)]) {
    use ReferralState as S;
    let told_apart = [
        S::New,
        S::Accepted,
        S::Declined,
        S::Scheduled,
        S::NoShow,
        S::AppointmentCancelled,
        S::InterimNote,
        S::CancelRequested,
        S::Cancelled,
        S::Completed,
    ];
    for actor in [Actor::Placer, Actor::Filler] {
        for from in told_apart {
            for to in told_apart.into_iter().filter(|to| *to != from) {
                let expected = known.contains(&(actor, Some(from), to));
                let judged = transitions.judge(actor, Some(from), to);
                assert_eq!(judged.is_ok(), expected, "{actor:?}: {from} to {to}: {judged:?}");
            }
        }
    }
}

#[test]
fn each_edge_of_sdohs_diagram_is_allowed_to_those_who_may_set_it_and_no_other_edge_is() {
    let Some(table) = table("sdoh-transitions.json") else {
        return;
    };
    let rules = rules(Dialect::Sdoh);
    let transitions = rules.transitions();
    let edges: Vec<(&str, &str)> = table["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| (edge[0].as_str().unwrap(), edge[1].as_str().unwrap()))
        .collect();
    let statuses: Vec<&String> = table["setBy"].as_object().unwrap().keys().collect();
    let mut checked = 0;
    for from in &statuses {
        for to in statuses.iter().filter(|it| *it != from && *it != &"draft") {
            let is_edge = edges.iter().any(|(a, b)| (a == from || *a == "*") && b == to);
            for (actor, name) in [(Actor::Placer, "requester"), (Actor::Filler, "target")] {
                let may_set = table["setBy"][to.as_str()].as_array().unwrap().iter().any(|it| it == name);
                // What was not sent yet is no referral: it becomes one as new, and by nobody's error.
                if from.as_str() == "draft" && to.as_str() == "entered-in-error" {
                    continue;
                }
                let from_state = state(&rules, &Value::from(from.as_str()), &Value::Null);
                let to_state = state(&rules, &Value::from(to.as_str()), &Value::Null).unwrap();
                let judged = transitions.judge(actor, from_state, to_state);
                assert_eq!(judged.is_ok(), is_edge && may_set, "{name}: {from} to {to}: {judged:?}");
                checked += usize::from(is_edge);
            }
        }
    }
    assert!(checked > 40, "{checked}");
    for excluded in table["excludedStatuses"].as_array().unwrap() {
        let status = TaskStatus::of_code(excluded.as_str().unwrap()).unwrap();
        assert_eq!(rules.read(status, None), None, "{excluded}");
    }
}

#[test]
fn bars_names_every_error_code_of_its_table() {
    let Some(table) = table("bars-error-codes.json") else {
        return;
    };
    let errors = rules(Dialect::Bars).errors.unwrap();
    for row in table["codes"].as_array().unwrap() {
        let known = errors.codes.iter().any(|it| {
            row["http"] == it.http && row["issue"] == it.issue.as_str() && row["code"] == it.code.as_str()
        });
        assert!(known, "{row}");
    }
    assert_eq!(Value::from(errors.systems), table["system"]);
}

#[test]
fn no_guide_lets_a_referral_come_back_from_its_end() {
    for dialect in Dialect::ALL {
        let transitions = rules(dialect).transitions();
        for end in ReferralState::ALL.into_iter().filter(|it| it.is_end()) {
            for actor in [Actor::Placer, Actor::Filler] {
                let judged = transitions.judge(actor, Some(end), ReferralState::InProgress);
                assert_eq!(judged, Err(Refused::Ended(end)), "{dialect:?}");
            }
        }
    }
}

const GUIDES: [(&str, &str); 5] = [
    ("plainville", "dialect = \"plain\""),
    ("cowfield", "dialect = \"cow\""),
    ("bserton", "dialect = \"bser\""),
    ("sdohham", "dialect = \"sdoh\""),
    ("barsbury", "dialect = \"bars\""),
];

/// What the receipt says, and then the Task after each step of the clinic's, guide by guide.
const TOLD: [[&str; 7]; 5] = [
    [
        "requested -",
        "received -",
        "received awaiting-information",
        "accepted -",
        "in-progress visit-scheduled",
        "in-progress no-show",
        "completed visit-complete",
    ],
    [
        "requested -",
        "received -",
        "received awaiting-information",
        "accepted -",
        "in-progress visit-scheduled",
        "in-progress no-show",
        "completed visit-complete",
    ],
    [
        "received 2.0",
        "received 2.0",
        "received 2.0",
        "accepted 3.0",
        "in-progress 5.1.1",
        "in-progress 5.1.2",
        "completed 7.0",
    ],
    [
        "requested -",
        "requested -",
        "requested awaiting-information",
        "accepted -",
        "in-progress visit-scheduled",
        "in-progress no-show",
        "completed visit-complete",
    ],
    [
        "requested -",
        "received -",
        "received awaiting-information",
        "accepted -",
        "in-progress visit-scheduled",
        "in-progress no-show",
        "completed visit-complete",
    ],
];

async fn referral_of(gateway: &mut TestGateway, partner: &str, seed: u64) -> (Value, ClinicReferral) {
    let known = gateway.clinic().referrals().len();
    let options = ReferralOptions { partner: partner.to_owned(), ..ReferralOptions::default() };
    let reply = gateway.send_bundle(partner, &people::referral(seed, &options)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    gateway.settle().await;
    let referral = gateway.clinic().referrals().into_iter().nth(known).unwrap();
    let entries = reply.body["entry"].as_array().unwrap().iter();
    let receipt = entries.map(|it| &it["resource"]).find(|it| it["resourceType"] == "Task").unwrap();
    (receipt.clone(), referral)
}

/// What the Task says: its status, and the last code of its business status.
fn said(task: &Value) -> String {
    let code = task["businessStatus"]["coding"].as_array().and_then(|it| it.last());
    let code = code.and_then(|it| it["code"].as_str()).unwrap_or("-");
    format!("{} {code}", task["status"].as_str().unwrap())
}

#[tokio::test]
async fn a_partner_of_each_guide_is_added_by_its_file_alone_and_is_told_in_its_own_terms() {
    let options = Options {
        partners: GUIDES.iter().map(|(partner, _)| *partner).collect(),
        partner_heads: BTreeMap::from(GUIDES),
        ..Options::default()
    };
    let mut gateway = TestGateway::with(options).await;
    let mut told = BTreeMap::new();
    for (number, (partner, _)) in GUIDES.iter().enumerate() {
        let (receipt, referral) = referral_of(&mut gateway, partner, number as u64 + 1).await;
        let mut words = vec![said(&receipt)];
        let steps: [&dyn Fn(&TestGateway); 6] = [
            &|it| drop(it.clinic().receive(&referral)),
            &|it| drop(it.clinic().ask_for(&referral, "The latest ECG, please.")),
            &|it| drop(it.clinic().accept(&referral)),
            &|it| drop(it.clinic().schedule(&referral)),
            &|it| drop(it.clinic().set_task(&referral, "in-progress", Some(("no-show", "Did not come")))),
            &|it| drop(it.clinic().complete(&referral)),
        ];
        for step in steps {
            step(&gateway);
            gateway.settle().await;
            let task = gateway.partner(partner).server().all("Task").pop().unwrap();
            words.push(said(&task));
            assert_eq!(task["focus"]["identifier"], task["basedOn"][0]["identifier"], "{partner}");
        }
        told.insert(*partner, words);
    }

    for ((partner, _), expected) in GUIDES.iter().zip(TOLD) {
        assert_eq!(told[partner], expected, "{partner}");
    }
    let completed = gateway.partner("sdohham").server().all("Task").pop().unwrap();
    assert_eq!(completed["output"][0]["type"]["coding"][0]["code"], "resulting-activity");
    let completed = gateway.partner("plainville").server().all("Task").pop().unwrap();
    assert_eq!(completed.get("output"), None);
}

#[tokio::test]
async fn a_broken_dialect_stops_only_the_partners_that_follow_it_and_check_names_its_place() {
    let broken = "guide = \"ours\"\ndoors = [\"window\"]\n".to_owned();
    let options = Options {
        partners: vec!["lakeside", "hillside"],
        partner_heads: BTreeMap::from([("lakeside", "dialect = \"cow\"")]),
        profiles: vec![("dialects/cow/dialect.toml", broken)],
        ..Options::default()
    };
    let mut gateway = TestGateway::with(options).await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let refused = gateway.send_bundle("lakeside", &bundle).await;
    let taken = gateway.send_bundle("hillside", &bundle).await;
    gateway.settle().await;
    let checked = run(&["check", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_refused(&refused, 503, "GW_DIALECT_BROKEN");
    assert_eq!(taken.status, 200);
    assert_eq!(checked.status.code(), Some(78));
    let told = err(&checked);
    assert!(told.contains("dialects/cow/dialect.toml, line 2, column"), "{told}");
    assert!(told.contains("partners/lakeside.toml, dialect: the definition of dialect cow"), "{told}");
    assert!(!told.contains("hillside"), "{told}");
}

#[tokio::test]
async fn a_broken_code_map_is_named_with_its_place_and_the_rest_goes_on() {
    let map = r#"{ "resourceType": "ConceptMap", "url": "urn:clinic:map", "group": [
        { "source": "urn:a", "target": "urn:b", "element": [{ "code": "1", "target": [{ "code": "one" }] }] }] }"#;
    let options = Options { profiles: vec![("clinic/map.json", map.to_owned())], ..Options::default() };
    let mut gateway = TestGateway::with(options).await;

    let (_, _) = referral_of(&mut gateway, "lakeside", 1).await;
    let checked = run(&["check", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_eq!(checked.status.code(), Some(78));
    let told = err(&checked);
    let place = "clinic/map.json: ConceptMap.group[0].element[0].target[0].equivalence";
    assert!(told.contains(place), "{told}");
}

#[tokio::test]
async fn a_guides_profile_counts_for_its_partners_as_soon_as_its_definition_is_there() {
    let profile = serde_json::json!({
        "resourceType": "StructureDefinition", "type": "ServiceRequest", "derivation": "constraint",
        "url": "http://hl7.org/fhir/us/bser/StructureDefinition/BSeR-ReferralServiceRequest",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "differential": { "element": [{ "id": "ServiceRequest.priority",
            "path": "ServiceRequest.priority", "min": 1, "fixedCode": "asap" }] },
    });
    let options = Options {
        partners: vec!["bserton", "sdohham"],
        partner_heads: BTreeMap::from(GUIDES),
        profiles: vec![("bser/order.json", profile.to_string())],
        ..Options::default()
    };
    let mut gateway = TestGateway::with(options).await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let refused = gateway.send_bundle("bserton", &bundle).await;
    let taken = gateway.send_bundle("sdohham", &bundle).await;
    gateway.settle().await;

    assert_eq!(refused.status, 422);
    assert!(refused.body.to_string().contains("BSeR-ReferralServiceRequest"), "{}", refused.body);
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn a_partner_that_reads_from_us_reads_the_terms_of_its_guide() {
    let options = Options {
        partners: vec!["bserton"],
        partner_heads: BTreeMap::from(GUIDES),
        mode: "inbox",
        ..Options::default()
    };
    let mut gateway = TestGateway::with(options).await;
    let (receipt, referral) = referral_of(&mut gateway, "bserton", 1).await;
    gateway.clinic().schedule(&referral);
    gateway.settle().await;

    let address = format!("/fhir/Task/{}", receipt["id"].as_str().unwrap());
    let read = gateway.call_as("bserton", "GET", &address).await.send().await;

    assert_eq!(said(&read.body), "in-progress 5.1.1");
}

#[tokio::test]
async fn preview_says_by_which_map_a_code_was_added() {
    let gateway = TestGateway::start().await;
    let file = format!("{}/fixtures/lakeside/complete-bundle/request.json", env!("CARGO_MANIFEST_DIR"));
    let folder = gateway.folder().to_str().unwrap().to_owned();
    let shown = run(&["preview", &file, "--partner", "lakeside", "--config", &folder]).await;

    let told = out(&shown);
    let line = "http://snomed.info/sct|80313002 gives http://hl7.org/fhir/sid/icd-10-cm|R00.2 (equal, \
                https://referral-gateway.example/fhir/ConceptMap/reason-to-clinic group[0])";
    assert!(told.contains(line), "{told}");
}

#[tokio::test]
async fn a_filler_that_gives_up_what_it_began_says_so_as_the_guide_does_also_after_a_restart() {
    for (head, mode, expected) in [
        ("dialect = \"cow\"", "rest", "failed"),
        ("dialect = \"sdoh\"", "inbox", "failed"),
        ("dialect = \"bser\"", "rest", "rejected"),
        ("", "rest", "rejected"),
    ] {
        let options = Options { partner_heads: [("lakeside", head)].into(), mode, ..Options::default() };
        let mut gateway = TestGateway::with(options).await;
        let referral = gateway.referral(1).await;
        let id = told(&gateway, mode).await["id"].as_str().unwrap_or_default().to_owned();
        gateway.clinic().set_task(&referral, "in-progress", None);
        gateway.settle().await;
        let begun = told(&gateway, mode).await;
        gateway.restart().await;
        gateway.clinic().decline(&referral, "No capacity");
        gateway.settle().await;

        let ended = told(&gateway, mode).await;

        assert_eq!(
            (&begun["status"], &ended["status"]),
            (&"in-progress".into(), &expected.into()),
            "{head} {id}"
        );
    }
}

/// The referral's Task as lakeside has it, on its own server or ours.
async fn told(gateway: &TestGateway, mode: &str) -> Value {
    if mode == "rest" {
        return gateway.lakeside().server().all("Task").pop().unwrap_or_default();
    }
    let found = gateway.lakeside().get("Task").await.unwrap().body;
    found["entry"][0]["resource"].clone()
}
