//! What we say that we can do, we can, and the other way round.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::TestGateway;

/// Where FHIR puts each interaction (FHIR R4, http).
fn address(resource_type: &str, code: &str) -> (&'static str, String) {
    match code {
        "create" => ("POST", format!("/fhir/{resource_type}")),
        "search-type" => ("GET", format!("/fhir/{resource_type}")),
        "read" => ("GET", format!("/fhir/{resource_type}/x-1")),
        "vread" => ("GET", format!("/fhir/{resource_type}/x-1/_history/1")),
        "update" => ("PUT", format!("/fhir/{resource_type}/x-1")),
        "patch" => ("PATCH", format!("/fhir/{resource_type}/x-1")),
        "delete" => ("DELETE", format!("/fhir/{resource_type}/x-1")),
        other => panic!("{other} is no interaction with a type"),
    }
}

const INTERACTIONS: [&str; 7] = ["create", "search-type", "read", "vread", "update", "patch", "delete"];

async fn rest(gateway: &TestGateway) -> Value {
    gateway.call("GET", "/fhir/metadata").send().await.body["rest"][0].clone()
}

fn list<'v>(value: &'v Value, element: &str) -> impl Iterator<Item = &'v Value> {
    value[element].as_array().into_iter().flatten()
}

/// Whether a door is there: what is sent there is wrong, and it is not the address or the method.
async fn is_there(gateway: &TestGateway, method: &str, path: &str) -> bool {
    let call = gateway.lakeside_calls(method, path).await;
    let reply = if method == "GET" { call.send().await } else { call.fhir("{}").send().await };
    let code = reply.body["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned();
    !matches!(code.as_str(), "SEND_PATH_UNKNOWN" | "SEND_METHOD")
}

#[tokio::test]
async fn every_interaction_that_is_offered_is_there_and_no_other() {
    let gateway = TestGateway::start().await;
    let rest = rest(&gateway).await;

    let types: BTreeSet<&str> = list(&rest, "resource").map(|it| it["type"].as_str().unwrap()).collect();
    assert!(types.contains("ServiceRequest") && types.contains("Task") && types.contains("Appointment"));
    for resource in list(&rest, "resource") {
        let resource_type = resource["type"].as_str().unwrap();
        let offered: BTreeSet<&str> =
            list(resource, "interaction").map(|it| it["code"].as_str().unwrap()).collect();
        for code in INTERACTIONS {
            let (method, path) = address(resource_type, code);
            let there = is_there(&gateway, method, &path).await;
            // Reads of types that are no updates find what rode along with the partner's own referral.
            let may_be = offered.contains(code) || (offered.is_empty() && method == "GET");
            assert_eq!(there, may_be, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_operation_that_is_offered_is_there_and_no_other() {
    let gateway = TestGateway::start().await;
    let rest = rest(&gateway).await;

    let mut offered: Vec<(String, String)> =
        list(&rest, "operation").map(|it| (String::new(), it["name"].as_str().unwrap().to_owned())).collect();
    for resource in list(&rest, "resource") {
        let of = |it: &Value| {
            (resource["type"].as_str().unwrap().to_owned(), it["name"].as_str().unwrap().to_owned())
        };
        offered.extend(list(resource, "operation").map(of));
    }
    offered.sort();
    let expected = [
        ("", "process-message"),
        ("", "validate"),
        ("Patient", "consent-check"),
        ("ServiceRequest", "validate"),
    ];
    assert_eq!(offered, expected.map(|(on, name)| (on.to_owned(), name.to_owned())));
    for (path, there) in [
        ("/fhir/$process-message", true),
        ("/fhir/$validate", true),
        ("/fhir/ServiceRequest/$validate", true),
        ("/fhir/Patient/1/$consent-check", true),
        ("/fhir/$consent-check", false),
        ("/fhir/Task/$validate", false),
        ("/fhir/Patient/1/$everything", false),
    ] {
        assert_eq!(is_there(&gateway, "POST", path).await, there, "{path}");
    }
}

#[tokio::test]
async fn every_search_parameter_that_is_offered_is_understood() {
    let gateway = TestGateway::start().await;
    let rest = rest(&gateway).await;

    for resource in list(&rest, "resource") {
        let resource_type = resource["type"].as_str().unwrap();
        for parameter in list(resource, "searchParam") {
            let name = parameter["name"].as_str().unwrap();
            let value = if name == "based-on" {
                "ServiceRequest/ref-01890000-0000-7000-8000-000000000000"
            } else {
                "x"
            };
            let path = format!("/fhir/{resource_type}?{name}={value}");
            let reply = gateway.lakeside_calls("GET", &path).await.send().await;

            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        }
    }
    assert!(is_there(&gateway, "POST", "/fhir").await);
    assert_eq!(rest["interaction"][0]["code"], "transaction");
}
