//! What counts where no Consent speaks.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::sandbox::clinic::ConsentSays;

use super::{only, referral_without_consent, sent, the_one};
use crate::support::{Options, TestGateway};

async fn with_preset(preset: &'static str) -> TestGateway {
    TestGateway::with(Options { preset, ..Options::default() }).await
}

#[tokio::test]
async fn us_hipaa_treatment_lets_ordinary_data_go_and_holds_what_is_labelled() {
    let mut gateway = with_preset("us-hipaa-treatment").await;
    let referral = referral_without_consent(&mut gateway, 1).await;

    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.clinic().accept(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
    assert_eq!(sent(&gateway), ["POST Task"]);
    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("sensitivity-not-named"));
}

#[tokio::test]
async fn deny_all_lets_nothing_go_until_a_consent_permits() {
    let mut gateway = with_preset("deny-all").await;
    let referral = referral_without_consent(&mut gateway, 1).await;
    gateway.clinic().accept(&referral);
    gateway.settle().await;
    assert_eq!(the_one(&gateway, DeliveryState::Held).await.reason.as_deref(), Some("clinic-default"));
    assert!(gateway.lakeside().server().requests().is_empty());

    gateway.clinic().record_consent(&referral, ConsentSays::Permit);
    gateway.settle().await;

    assert_eq!(only(&gateway, "Task")["status"], "accepted");
}

#[tokio::test]
async fn permit_all_authorised_lets_restricted_data_go() {
    let mut gateway = with_preset("permit-all-authorised").await;
    let referral = referral_without_consent(&mut gateway, 1).await;

    gateway.clinic().write_psychotherapy_note(&referral);
    gateway.settle().await;

    assert_eq!(only(&gateway, "DocumentReference")["status"], "current");
}

#[tokio::test]
async fn an_opt_out_wins_over_every_default() {
    for preset in ["opt-in-hold", "us-hipaa-treatment", "deny-all", "permit-all-authorised"] {
        let mut gateway = with_preset(preset).await;
        let referral = referral_without_consent(&mut gateway, 1).await;

        gateway.clinic().record_consent(&referral, ConsentSays::Deny);
        gateway.clinic().accept(&referral);
        gateway.settle().await;

        assert!(gateway.lakeside().server().requests().is_empty(), "{preset}");
    }
}
