//! The door of those who run the gateway.

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::json;

use crate::support::TestGateway;

#[tokio::test]
async fn a_gateway_that_runs_lives_and_is_ready() {
    let gateway = TestGateway::start().await;

    let live = gateway.operator_calls("GET", "/livez").send().await;
    let ready = gateway.operator_calls("GET", "/readyz").send().await;

    assert_eq!((live.status.as_u16(), ready.status.as_u16()), (200, 200));
    assert_eq!(ready.body, json!({ "ready": true, "not_ready": [] }));
}

#[tokio::test]
async fn a_clinic_that_is_down_is_named_until_it_is_back() {
    let mut gateway = TestGateway::start().await;
    gateway.run_in_background();
    gateway.referral(1).await;

    gateway.clinic().server().stop().await;
    let down = ready_becomes(&gateway, 503).await;
    gateway.clinic().server().restart().await.unwrap();
    let up = ready_becomes(&gateway, 200).await;

    assert_eq!(down.body, json!({ "ready": false, "not_ready": ["clinic"] }));
    assert_eq!(up.body["ready"], true);
    let live = gateway.operator_calls("GET", "/livez").send().await;
    assert_eq!(live.status, 200);
}

#[tokio::test]
async fn only_what_waits_can_be_tried_again() {
    let gateway = TestGateway::start().await;

    for (id, status) in [
        ("dlv-0197a4c2-0000-7000-8000-000000000000", 409),
        ("ref-0197a4c2-0000-7000-8000-000000000000", 404),
        ("1", 404),
        ("%FF", 400),
    ] {
        let path = format!("/admin/deliveries/{id}/retry");
        assert_eq!(gateway.operator_calls("POST", &path).send().await.status, status, "{id}");
    }
}

/// Tells the gateway to look at the clinic, until it says this about itself.
async fn ready_becomes(gateway: &TestGateway, status: u16) -> Reply {
    for _ in 0..1000 {
        let wake = gateway.call("POST", "/hooks/clinic").header("authorization", "Bearer hook-token");
        assert_eq!(wake.send().await.status, 204);
        let ready = gateway.operator_calls("GET", "/readyz").send().await;
        if ready.status == status {
            return ready;
        }
    }
    panic!("it never became {status}");
}
