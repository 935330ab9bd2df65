//! Every route, with every kind of client: who may come in, and that somebody else's things look like nobody's.

use referral_gateway::sandbox::gateway_client::Reply;
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::server::routes;
use serde_json::{Value, json};

use crate::support::{Options, TestGateway, answered_task, issues_of};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const CLINIC_SECRET: &str = "canary-secret-of-the-clinic";
const UNKNOWN: &str = "ref-0197a4c2-0000-7000-8000-000000000000";
const UNKNOWN_REPLY: &str = "reply-0197a4c2-0000-7000-8000-000000000000";

/// Doors that are open to everybody, or to a token of another kind.
fn is_for_everybody(path: &str) -> bool {
    let open = ["/fhir/metadata", "/fhir/.well-known/smart-configuration"];
    open.contains(&path) || !path.starts_with("/fhir")
}

/// What lakeside has, by its ids; hillside has nothing.
struct Ids {
    referral: String,
    reply: String,
}

async fn two_partners() -> (TestGateway, Ids) {
    let lines =
        "[clinic.client]\nclient_id = \"clinic-ehr\"\nclient_secret = \"canary-secret-of-the-clinic\"\n";
    let options =
        Options { partners: vec!["lakeside", "hillside"], gateway_lines: lines, ..Options::default() };
    let mut gateway = TestGateway::with(options).await;
    let sent = gateway.send_bundle("lakeside", &people::referral(1, &ReferralOptions::default())).await;
    let referral = answered_task(&sent)["id"].as_str().unwrap().to_owned();
    let said = json!({
        "resourceType": "Communication",
        "status": "completed",
        "basedOn": [{ "reference": format!("ServiceRequest/{referral}") }],
    });
    let call = gateway.lakeside_calls("POST", "/fhir/Communication").await;
    let reply = call.fhir(said.to_string()).send().await.body["id"].as_str().unwrap().to_owned();
    gateway.settle().await;
    (gateway, Ids { referral, reply })
}

/// The paths of a route: every type with these ids.
fn addresses(path: &str, ids: &Ids) -> Vec<String> {
    let types =
        ["Task", "ServiceRequest", "Patient", "Communication", "Appointment", "QuestionnaireResponse"];
    let mut all = Vec::new();
    for resource_type in types {
        for id in [ids.referral.clone(), format!("{}-0", ids.referral), ids.reply.clone()] {
            let filled = path.replace("{resource_type}", resource_type).replace("{id}", &id);
            all.push(filled.replace("{version}", "1").replace("{*rest}", "x"));
        }
    }
    all.sort();
    all.dedup();
    all
}

fn body_for(method: &str, path: &str) -> (&'static str, String) {
    let content_type =
        if method == "PATCH" { "application/json-patch+json" } else { "application/fhir+json" };
    let id = path.rsplit('/').next().unwrap_or_default();
    let task = json!({ "resourceType": "Task", "id": id, "status": "cancelled", "intent": "order" });
    (content_type, if method == "PATCH" { "[]".to_owned() } else { task.to_string() })
}

async fn ask(gateway: &TestGateway, (method, path): (&str, &str), token: Option<&str>) -> Reply {
    let mut call = gateway.call(method, path);
    if let Some(token) = token {
        call = call.header("authorization", token);
    }
    if method != "GET" {
        let (content_type, body) = body_for(method, path);
        call = call.header("content-type", content_type).header("if-match", "W/\"1\"").body(body);
    }
    call.send().await
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_and_the_clinic_not_as_a_partner() {
    let (gateway, ids) = two_partners().await;
    let clinic = gateway.token_of("clinic-ehr", CLINIC_SECRET, "system/*.cruds").await;
    let nothing = gateway.token_of("lakeside", crate::support::SECRET, "system/Appointment.r").await;
    let mut asked = 0;

    for route in routes::paths().filter(|it| !is_for_everybody(it)) {
        let path = &addresses(route, &ids)[0];
        for method in METHODS {
            for token in [None, Some("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"), Some("Basic bGFrZXNpZGU6eA==")] {
                let reply = ask(&gateway, (method, path), token).await;
                assert!(matches!(reply.status.as_u16(), 401 | 405), "{method} {path}: {}", reply.status);
            }
            for token in [&clinic, &nothing] {
                let reply = ask(&gateway, (method, path), Some(token)).await;
                let is_clinics = route.contains("$consent-check") && token == &clinic;
                let refused = matches!(reply.status.as_u16(), 403..=405);
                assert!(refused || is_clinics, "{method} {path}: {}", reply.status);
                asked += 1;
            }
        }
    }
    assert!(asked > 150, "{asked}");
}

#[tokio::test]
async fn what_is_another_partners_answers_like_what_there_is_not_on_every_route() {
    let (gateway, ids) = two_partners().await;
    let unknown = Ids { referral: UNKNOWN.to_owned(), reply: UNKNOWN_REPLY.to_owned() };
    let theirs = format!("Bearer {}", gateway.token("hillside").await);
    let own = format!("Bearer {}", gateway.token("lakeside").await);
    let (mut compared, mut own_found) = (0, 0);

    for route in routes::paths().filter(|it| it.contains("{id}")) {
        for (there, nowhere) in addresses(route, &ids).iter().zip(&addresses(route, &unknown)) {
            for method in METHODS {
                let foreign = ask(&gateway, (method, there), Some(&theirs)).await;
                let nobodys = ask(&gateway, (method, nowhere), Some(&theirs)).await;
                assert_eq!(told(foreign, &ids), told(nobodys, &unknown), "{method} {there}");
                compared += 1;
            }
            own_found += usize::from(ask(&gateway, ("GET", there), Some(&own)).await.status == 200);
        }
    }
    assert!(compared > 150 && own_found >= 6, "{compared} {own_found}");
    gateway.assert_no_patient_in(&gateway.log_text());
}

#[tokio::test]
async fn a_reply_about_another_partners_referral_is_one_about_none() {
    let (gateway, ids) = two_partners().await;
    let token = format!("Bearer {}", gateway.token("hillside").await);

    for about in ["basedOn", "about", "partOf"] {
        let mut told = Vec::new();
        for id in [&ids.referral, &UNKNOWN.to_owned()] {
            let mut said = json!({ "resourceType": "Communication", "status": "completed" });
            said[about] = json!([{ "reference": format!("Task/{id}") }]);
            let call = gateway.call("POST", "/fhir/Communication").header("authorization", &token);
            let reply = call.fhir(said.to_string()).send().await;
            assert_eq!(issues_of(&reply)[0].0, "SEND_REPLY_UNKNOWN");
            told.push((reply.status, reply.body["issue"][0]["details"].clone()));
        }
        assert_eq!(told[0], told[1]);
    }
}

/// All that a caller could tell two answers apart by, but for what is new with every request and its own words.
fn told(reply: Reply, ids: &Ids) -> (u16, Vec<String>, String) {
    let Reply { status, headers, mut body } = reply;
    if let Some(Value::Object(issue)) = body["issue"].get_mut(0) {
        issue.remove("diagnostics");
    }
    let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
    names.sort();
    (status.as_u16(), names, body.to_string().replace(&ids.referral, "REFERRAL").replace(&ids.reply, "REPLY"))
}
