//! The clinic's server wakes us at /hooks/clinic.

use std::fs;
use std::time::Duration;

use referral_gateway::fhir::client::http_client;

use crate::support::TestGateway;

async fn call(gateway: &TestGateway, path: &str, token: &str) -> u16 {
    let address = format!("{}/hooks/clinic{path}", gateway.public_url());
    let request = http_client().post(address).bearer_auth(token).body("{\"resourceType\":\"Bundle\"}");
    request.send().await.unwrap().status().as_u16()
}

async fn is_awake(gateway: &TestGateway) -> bool {
    let told = gateway.gateway().parts().doors.clinic_changed.notified();
    tokio::time::timeout(Duration::from_millis(20), told).await.is_ok()
}

#[tokio::test]
async fn the_clinics_token_wakes_the_watcher() {
    let gateway = TestGateway::start().await;

    let status = call(&gateway, "", "hook-token").await;
    let with_the_resource_behind_it = call(&gateway, "/Task/7", "hook-token").await;

    assert_eq!((status, with_the_resource_behind_it), (204, 204));
    assert!(is_awake(&gateway).await);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_wakes_nobody() {
    let gateway = TestGateway::start().await;

    let statuses = [call(&gateway, "", "another").await, call(&gateway, "", "").await];

    assert_eq!(statuses, [401, 401]);
    assert!(!is_awake(&gateway).await);
}

#[tokio::test]
async fn without_a_token_in_the_settings_the_door_is_not_there() {
    let mut gateway = TestGateway::start().await;
    gateway.stop().await;
    let file = gateway.folder().join("gateway.toml");
    let settings = fs::read_to_string(&file).unwrap();

    fs::write(&file, settings.replace("hook_token = \"hook-token\"\n", "")).unwrap();
    gateway.restart().await;

    assert_eq!(call(&gateway, "", "hook-token").await, 404);
    assert_eq!(call(&gateway, "", "").await, 404);
}
