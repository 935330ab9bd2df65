//! Profiles that a partner's resources must meet.

use std::collections::BTreeMap;

use referral_gateway::sandbox::people::{self, ReferralOptions};
use serde_json::json;

use crate::process::{err, out, run};
use crate::support::{Options, TestGateway, assert_refused, issues_of};

/// A profile that wants to know by when.
fn urgent_referral() -> String {
    json!({
        "resourceType": "StructureDefinition", "url": "urn:clinic:urgent-referral", "type": "ServiceRequest",
        "derivation": "constraint", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "differential": { "element": [
            { "id": "ServiceRequest.occurrence[x]", "path": "ServiceRequest.occurrence[x]", "min": 1 },
            { "id": "ServiceRequest.priority", "path": "ServiceRequest.priority", "min": 1,
              "fixedCode": "asap" }] },
    })
    .to_string()
}

fn options(profile: String) -> Options {
    Options {
        partners: vec!["lakeside", "hillside"],
        partner_heads: BTreeMap::from([("lakeside", "profiles = [\"urn:clinic:urgent-referral|1\"]")]),
        profiles: vec![("clinic/urgent.json", profile)],
        ..Options::default()
    }
}

#[tokio::test]
async fn a_partner_is_held_to_its_profiles_and_others_are_not() {
    let mut gateway = TestGateway::with(options(urgent_referral())).await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let refused = gateway.send_bundle("lakeside", &bundle).await;
    let taken = gateway.send_bundle("hillside", &bundle).await;
    gateway.settle().await;

    assert_eq!(refused.status, 422);
    let codes: Vec<String> = issues_of(&refused).into_iter().map(|it| it.0).collect();
    assert_eq!(codes, ["SEND_PROFILE"]);
    let text = refused.body.to_string();
    assert!(text.contains("Profile: urn:clinic:urgent-referral."), "{text}");
    assert_eq!(taken.status, 200);
    assert_eq!(gateway.clinic().server().all("ServiceRequest").len(), 1);
}

#[tokio::test]
async fn a_broken_profile_stops_only_the_partner_that_uses_it_and_check_names_its_place() {
    let mut gateway = TestGateway::with(options("{\n  \"resourceType\": oops\n}".to_owned())).await;
    let bundle = people::referral(1, &ReferralOptions::default());

    let refused = gateway.send_bundle("lakeside", &bundle).await;
    let taken = gateway.send_bundle("hillside", &bundle).await;
    gateway.settle().await;
    let checked = run(&["check", "--config", gateway.folder().to_str().unwrap()]).await;

    assert_refused(&refused, 503, "GW_PROFILE_BROKEN");
    assert_eq!(taken.status, 200);
    assert_eq!(checked.status.code(), Some(78), "{}", out(&checked));
    let told = err(&checked);
    assert!(told.contains("clinic/urgent.json is not JSON at line 2, column"), "{told}");
    assert!(
        told.contains("partners/lakeside.toml, profiles: there is no profile urn:clinic:urgent-referral"),
        "{told}"
    );
    assert!(!told.contains("hillside"), "{told}");
}
