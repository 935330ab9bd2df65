//! The clinic's server says no. People must look at it; nothing is lost.

use std::time::Duration;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};

use serde_json::json;

use super::clinic_faults::{assert_arrived_once, refusal, transactions, with_fault};

#[tokio::test]
async fn a_refused_referral_is_dead_and_listed_with_the_status() {
    for status in [400, 403, 410, 413, 422] {
        let gateway = with_fault(refusal(status)).await;

        gateway.after(Duration::from_hours(1)).await;

        let dead = gateway.deliveries(DeliveryState::Dead).await;
        let attempts = gateway.gateway().parts().store.attempts(dead[0].id).await.unwrap();
        assert_eq!((dead.len(), dead[0].reason.as_deref()), (1, Some("status")));
        assert_eq!((attempts.len(), attempts[0].http_status), (1, Some(status)));
        assert_eq!(transactions(&gateway), 1);
    }
}

#[tokio::test]
async fn a_refusal_that_says_it_will_pass_is_not_the_end() {
    let passing = json!({ "resourceType": "OperationOutcome", "issue": [
        { "severity": "error", "code": "lock-error" },
    ]});
    let status = Misbehaviour::Status { status: 422, retry_after: None, body: Some(passing) };
    let mut gateway = with_fault(Fault::new(status)).await;

    gateway.after(Duration::from_mins(1)).await;

    assert_arrived_once(&mut gateway).await;
}

#[tokio::test]
async fn an_operator_sends_a_dead_referral_again_and_it_arrives_once() {
    let mut gateway = with_fault(refusal(422)).await;
    let id = gateway.deliveries(DeliveryState::Dead).await[0].id;

    let path = format!("/admin/deliveries/{id}/retry");
    let retried = gateway.operator_calls("POST", &path).send().await;
    gateway.settle().await;

    assert_eq!((retried.status.as_u16(), &retried.body["retrying"]), (202, &json!(id.to_string())));
    assert_arrived_once(&mut gateway).await;
    let again = gateway.operator_calls("POST", &path).send().await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn a_clinic_that_fails_for_three_days_ends_the_attempts_and_not_the_referral() {
    let mut gateway = with_fault(Fault::status(503)).await;
    gateway.expect_error_line("a server has not been usable for a day");
    gateway.clinic().server().faults().always(Some(Fault::status(503).on("POST", "")));
    for _ in 0..80 {
        gateway.after(Duration::from_hours(1)).await;
    }
    let dead = gateway.deliveries(DeliveryState::Dead).await;
    gateway.clinic().server().faults().clear();

    gateway.operator_calls("POST", &format!("/admin/deliveries/{}/retry", dead[0].id)).send().await;
    gateway.settle().await;

    assert_arrived_once(&mut gateway).await;
}
