//! `$validate`: what a door would say, and nothing is recorded.

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::{Value, json};

use super::{doubtful_provision, message, referral, service_request};
use crate::support::{TestGateway, assert_refused, issues_of, part_mut};

async fn validate(gateway: &mut TestGateway, path: &str, body: &Value) -> Reply {
    gateway.watch_for(body);
    gateway.lakeside().client().post(path, body).await.unwrap()
}

fn codes(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    issues_of(reply).into_iter().map(|it| it.0).collect()
}

#[tokio::test]
async fn what_would_be_taken_is_said_to_be_without_a_fault_and_nothing_is_recorded() {
    let mut gateway = TestGateway::start().await;

    for (path, body) in [
        ("ServiceRequest/$validate", service_request(1)),
        ("$validate", service_request(1)),
        ("$validate", referral(1)),
        ("$validate", message(1)),
    ] {
        let reply = validate(&mut gateway, path, &body).await;

        assert_eq!(codes(&reply), ["SEND_VALID"], "{path}: {}", reply.body);
        assert_eq!(reply.body["issue"][0]["severity"], "information");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn every_issue_is_the_one_that_the_door_would_name() {
    let mut gateway = TestGateway::start().await;
    let mut request = service_request(1);
    request["status"] = json!("draft");
    request["priority"] = json!("soon");
    request.as_object_mut().unwrap().remove("code");
    let mut bundle = referral(1);
    part_mut(&mut bundle, "ServiceRequest")["intent"] = json!("plan");

    let of_request = validate(&mut gateway, "ServiceRequest/$validate", &request).await;
    let refused_request = gateway.send_service_request("lakeside", &request).await;
    let of_bundle = validate(&mut gateway, "$validate", &bundle).await;
    let refused_bundle = gateway.send_bundle("lakeside", &bundle).await;

    assert!(codes(&of_request).len() >= 3);
    assert_eq!(issues_of(&of_request), issues_of(&refused_request));
    assert_eq!(issues_of(&of_bundle), issues_of(&refused_bundle));
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_parameter_is_named_as_it_was_sent() {
    let mut gateway = TestGateway::start().await;
    let mut request = service_request(1);
    request["status"] = json!("draft");
    let parameters = |it: Value| json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource", "resource": it }] });

    let reply = validate(&mut gateway, "ServiceRequest/$validate", &parameters(request)).await;
    let good = validate(&mut gateway, "ServiceRequest/$validate", &parameters(service_request(1))).await;

    let expected =
        ("SEND_REFERRAL_NOT_ACTIONABLE".to_owned(), "Parameters.parameter[0].resource.status".to_owned());
    assert_eq!(issues_of(&reply), [expected]);
    assert_eq!(codes(&good), ["SEND_VALID"]);
}

#[tokio::test]
async fn what_would_be_taken_with_a_warning_is_told_with_it() {
    let mut gateway = TestGateway::start().await;
    let mut bundle = referral(1);
    part_mut(&mut bundle, "Consent")["provision"] = doubtful_provision();

    let reply = validate(&mut gateway, "$validate", &bundle).await;

    assert_eq!(codes(&reply), ["SEND_CONSENT_ONLY_HOLDS"], "{}", reply.body);
    assert_eq!(reply.body["issue"][0]["severity"], "warning");
}

#[tokio::test]
async fn what_cannot_be_validated_is_refused() {
    let mut gateway = TestGateway::start().await;
    let profile =
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "profile", "valueUri": "urn:x" }] });
    let empty = json!({ "resourceType": "Parameters" });

    assert_refused(&validate(&mut gateway, "$validate", &profile).await, 422, "SEND_VALIDATE");
    assert_refused(&validate(&mut gateway, "$validate", &empty).await, 422, "SEND_VALIDATE");
    let asked = "ServiceRequest/$validate?profile=urn:x";
    assert_refused(&validate(&mut gateway, asked, &service_request(1)).await, 422, "SEND_VALIDATE");
    let wrong = validate(&mut gateway, "ServiceRequest/$validate", &referral(1)).await;
    assert_refused(&wrong, 422, "SEND_RESOURCE_TYPE_UNEXPECTED");
    let path = "/fhir/ServiceRequest/$validate";
    let unreadable = gateway.lakeside_calls("POST", path).await.fhir("{").send().await;
    assert_refused(&unreadable, 400, "SEND_JSON_INVALID");
    let unknown = gateway.call("POST", path).fhir(service_request(1).to_string()).send().await;
    assert_refused(&unknown, 401, "SEND_TOKEN");
    gateway.assert_nothing_recorded();
}
