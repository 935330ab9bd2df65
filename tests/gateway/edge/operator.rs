//! The door of those who run the gateway.

use referral_gateway::sandbox::gateway_client::Reply;
use serde_json::{Value, json};

use crate::support::TestGateway;

#[tokio::test]
async fn a_gateway_that_runs_lives_and_is_ready() {
    let gateway = TestGateway::start().await;

    let live = gateway.operator_calls("GET", "/livez").send().await;
    let ready = gateway.operator_calls("GET", "/readyz").send().await;

    assert_eq!((live.status.as_u16(), ready.status.as_u16()), (200, 200));
    assert_eq!(ready.body, json!({ "ready": true, "not_ready": [], "degraded": [], "shut": [] }));
}

#[tokio::test]
async fn a_clinic_that_is_down_is_named_and_referrals_are_taken_all_the_same() {
    let mut gateway = TestGateway::start().await;
    gateway.run_in_background();
    gateway.referral(1).await;

    gateway.clinic().server().stop().await;
    let down = degraded_becomes(&gateway, json!(["clinic"])).await;
    gateway.clinic().server().restart().await.unwrap();
    let up = degraded_becomes(&gateway, json!([])).await;

    assert_eq!((down.status.as_u16(), &down.body["ready"]), (200, &json!(true)));
    assert_eq!((up.status.as_u16(), &up.body["ready"]), (200, &json!(true)));
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
async fn degraded_becomes(gateway: &TestGateway, parts: Value) -> Reply {
    for _ in 0..1000 {
        let wake = gateway.call("POST", "/hooks/clinic").header("authorization", "Bearer hook-token");
        assert_eq!(wake.send().await.status, 204);
        let ready = gateway.operator_calls("GET", "/readyz").send().await;
        if ready.body["degraded"] == parts {
            return ready;
        }
    }
    panic!("it never became {parts}");
}
