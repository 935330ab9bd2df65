//! Who comes in: tokens and scopes.

use std::time::Duration;

use referral_gateway::sandbox::people::{self, ReferralOptions};

use crate::support::{Options, SECRET, TestGateway, assert_refused};

#[tokio::test]
async fn without_a_token_of_ours_nobody_comes_in() {
    let gateway = TestGateway::start().await;
    let token = gateway.token("lakeside").await;
    let cut = format!("Bearer {}", &token[..token.len() - 2]);
    let unsigned = format!("Bearer {}.", token.rsplit_once('.').unwrap().0);

    for authorization in ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic bGFrZXNpZGU6eA==", &cut, &unsigned]
    {
        let call = gateway.call("GET", "/fhir/Task").header("authorization", authorization);
        let reply = call.send().await;

        assert_refused(&reply, 401, "SEND_TOKEN");
        assert!(reply.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer realm="));
    }
}

#[tokio::test]
async fn every_door_for_partners_asks_for_a_token() {
    let gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default()).to_string();

    for (method, path) in [
        ("POST", "/fhir"),
        ("POST", "/fhir/"),
        ("POST", "/fhir/ServiceRequest"),
        ("GET", "/fhir/ServiceRequest"),
        ("GET", "/fhir/Task"),
        ("GET", "/fhir/Task/ref-1"),
        ("GET", "/fhir/Appointment"),
        ("GET", "/fhir/Patient/ref-1"),
    ] {
        let reply = gateway.call(method, path).fhir(bundle.clone()).send().await;

        assert_refused(&reply, 401, "SEND_TOKEN");
        assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"referral-gateway\"");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn a_token_ends_after_five_minutes() {
    let gateway = TestGateway::start().await;
    let authorization = format!("Bearer {}", gateway.token("lakeside").await);
    let ask = || gateway.call("GET", "/fhir/Task").header("authorization", &authorization);

    gateway.clock().advance(Duration::from_secs(299));
    assert_eq!(ask().send().await.status, 200);
    gateway.clock().advance(Duration::from_secs(1));
    let reply = ask().send().await;

    assert_refused(&reply, 401, "SEND_TOKEN");
    assert!(reply.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
}

#[tokio::test]
async fn a_token_of_another_gateway_is_not_ours() {
    let (gateway, other) = (TestGateway::start().await, TestGateway::start().await);
    let authorization = format!("Bearer {}", other.token("lakeside").await);

    let reply = gateway.call("GET", "/fhir/Task").header("authorization", &authorization).send().await;

    assert_refused(&reply, 401, "SEND_TOKEN");
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_name_and_nothing_else() {
    let gateway = TestGateway::start().await;
    let bundle = people::referral(1, &ReferralOptions::default()).to_string();
    let token = gateway.token_of("lakeside", SECRET, "system/Task.rs").await;
    let ask = |method: &str, path: &str| gateway.call(method, path).header("authorization", &token);

    assert_eq!(ask("GET", "/fhir/Task").send().await.status, 200);
    for (method, path) in [
        ("GET", "/fhir/ServiceRequest"),
        ("GET", "/fhir/Appointment"),
        ("POST", "/fhir"),
        ("POST", "/fhir/ServiceRequest"),
        ("GET", "/fhir/Patient"),
    ] {
        let reply = ask(method, path).fhir(bundle.clone()).send().await;
        assert_refused(&reply, 403, "SEND_SCOPE");
    }
    gateway.assert_nothing_recorded();
}

#[tokio::test]
async fn the_clinics_own_client_is_no_partner() {
    let lines =
        "[clinic.client]\nclient_id = \"clinic-ehr\"\nclient_secret = \"canary-secret-of-the-clinic\"\n";
    let gateway = TestGateway::with(Options { gateway_lines: lines, ..Options::default() }).await;
    let bundle = people::referral(1, &ReferralOptions::default()).to_string();
    let token = gateway.token_of("clinic-ehr", "canary-secret-of-the-clinic", "system/*.cruds").await;

    for (method, path) in [
        ("GET", "/fhir/Task"),
        ("POST", "/fhir"),
        ("GET", "/fhir/Task/ref-1"),
        ("GET", "/fhir/ServiceRequest"),
    ] {
        let call = gateway.call(method, path).header("authorization", &token);
        assert_refused(&call.fhir(bundle.clone()).send().await, 403, "SEND_SCOPE");
    }
    gateway.assert_nothing_recorded();
    assert!(!gateway.log_text().contains("canary-secret"));
}

#[tokio::test]
async fn the_wake_up_door_opens_to_its_own_token_only() {
    let gateway = TestGateway::start().await;
    let partner = format!("Bearer {}", gateway.token("lakeside").await);

    for authorization in ["", "Bearer", "Bearer hook-toke", "Bearer hook-token2", "hook-token", &partner] {
        let call = gateway.call("POST", "/hooks/clinic").header("authorization", authorization);
        assert_refused(&call.send().await, 401, "SEND_TOKEN");
    }
    for path in ["/hooks/clinic", "/hooks/clinic/Task/1"] {
        let call = gateway.call("PUT", path).header("authorization", "Bearer hook-token");
        assert_eq!(call.fhir("not even JSON").send().await.status, 204);
    }
}
