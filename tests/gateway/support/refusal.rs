//! What every refusal promises.

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::Value;

const CODES: &str = "https://referral-gateway.example/fhir/CodeSystem/issue";

/// The reply is an OperationOutcome of this status whose first issue has this code of ours, and it tells the
/// request's id both in its header and in its text.
#[track_caller]
pub fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "expected {code}: {}", reply.body);
    assert_eq!(issues_of(reply)[0].0, code, "{}", reply.body);
    let id = reply.headers["x-request-id"].to_str().unwrap();
    assert_eq!(reply.body["issue"][0]["diagnostics"], format!("request {id}"));
    assert_eq!(reply.headers["content-type"], "application/fhir+json");
}

/// The issues of an OperationOutcome: our code and the place, empty where there is none.
#[track_caller]
pub fn issues_of(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.body["resourceType"], "OperationOutcome", "{}: {}", reply.status, reply.body);
    let issues = reply.body["issue"].as_array().unwrap();
    issues.iter().map(issue_of).collect()
}

#[track_caller]
fn issue_of(issue: &Value) -> (String, String) {
    assert!(issue["code"].is_string(), "{issue}");
    assert!(issue["details"]["text"].as_str().is_some_and(|text| text.ends_with('.')), "{issue}");
    let coding = &issue["details"]["coding"][0];
    assert_eq!(coding["system"], CODES);
    let expression = issue["expression"][0].as_str().unwrap_or_default();
    (coding["code"].as_str().unwrap().to_owned(), expression.to_owned())
}
