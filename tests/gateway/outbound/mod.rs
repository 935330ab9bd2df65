//! CLINIC → PARTNER.

mod accepted;
mod arrival;
mod consent_changes;
mod consent_faults;
mod consent_gate;
mod consent_presets;
mod content;
mod cursor;
mod dependencies;
mod effects;
mod faults;
mod fhir_versions;
mod hook;
mod inbox;
mod inbox_consent;
mod isolation;
mod late_revocation;
mod messages;
mod reduced;
mod relation;
mod retry_by_hand;
mod road;
mod servers;
mod trail;
mod unique;
mod unknown_effect;
mod versions;

use referral_gateway::model::delivery::{Delivery, DeliveryState, Owed};
use referral_gateway::sandbox::clinic::ClinicReferral;
use referral_gateway::sandbox::fhir_server::RecordedRequest;
use referral_gateway::sandbox::partner::SimulatedPartner;
use referral_gateway::sandbox::people::{self, ConsentEnclosure, ReferralOptions};
use referral_gateway::store::{AttemptRecord, DeliveryFilter};
use serde_json::Value;

use crate::support::TestGateway;

/// A referral of lakeside that stands at the clinic; no Consent came with it.
async fn referral_without_consent(gateway: &mut TestGateway, seed: u64) -> ClinicReferral {
    let options = ReferralOptions { consent: ConsentEnclosure::LeftOut, ..ReferralOptions::default() };
    referral_from(gateway, "lakeside", seed, options).await
}

/// A referral of a partner that stands at the clinic.
async fn referral_of(gateway: &mut TestGateway, partner: &str, seed: u64) -> ClinicReferral {
    let options = ReferralOptions { partner: partner.to_owned(), ..ReferralOptions::default() };
    referral_from(gateway, partner, seed, options).await
}

async fn referral_from(
    gateway: &mut TestGateway,
    partner: &str,
    seed: u64,
    options: ReferralOptions,
) -> ClinicReferral {
    let known = gateway.clinic().referrals().len();
    let reply = gateway.send_bundle(partner, &people::referral(seed, &options)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    gateway.settle().await;
    gateway.clinic().referrals().into_iter().nth(known).expect("the referral reached the clinic")
}

/// The value of the first identifier of a type in the referral of a seed.
fn number(seed: u64, resource_type: &str) -> Value {
    let bundle = people::referral(seed, &ReferralOptions::default());
    people::resources_of(&bundle, resource_type)[0]["identifier"][0]["value"].clone()
}

/// The one resource of a type that stands at lakeside.
fn only(gateway: &TestGateway, resource_type: &str) -> Value {
    let mut all = gateway.lakeside().server().all(resource_type);
    assert_eq!(all.len(), 1, "exactly one {resource_type} stands at lakeside");
    all.remove(0)
}

/// The names of a resource's elements, sorted; without what every stored resource has.
fn elements(resource: &Value) -> Vec<&str> {
    let known = ["resourceType", "id", "meta"];
    let names = resource.as_object().unwrap().keys().map(String::as_str);
    let mut names: Vec<&str> = names.filter(|name| !known.contains(name)).collect();
    names.sort_unstable();
    names
}

/// What was sent to a partner to have an effect there: everything but reads.
fn sent_to(partner: &SimulatedPartner) -> Vec<RecordedRequest> {
    partner.server().requests().into_iter().filter(|it| it.method != "GET").collect()
}

/// Method and path of what was sent to lakeside, such as `POST Task`.
fn sent(gateway: &TestGateway) -> Vec<String> {
    let path = |it: &RecordedRequest| it.path_and_query.trim_start_matches("/fhir").replace('/', " ");
    let sent = sent_to(gateway.lakeside());
    sent.iter().map(|it| format!("{}{}", it.method, path(it))).collect()
}

/// No byte that reached lakeside names the clinic's server, and no extension went along.
fn assert_nothing_internal_left(gateway: &TestGateway) {
    let clinic = gateway.clinic().server().base_url();
    for request in sent_to(gateway.lakeside()) {
        let body = request.json().to_string();
        assert!(!body.contains(clinic), "an address of the clinic was sent: {body}");
        assert!(!body.contains("\"extension\""), "an extension was sent: {body}");
    }
}

/// Everything that is or was owed to partners, oldest first.
async fn updates(gateway: &TestGateway) -> Vec<Delivery> {
    let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
    let mut all = gateway.gateway().parts().store.deliveries(filter).await.unwrap();
    all.retain(|it| it.task != Owed::Forward);
    all.reverse();
    all
}

/// The one delivery in this state.
async fn the_one(gateway: &TestGateway, state: DeliveryState) -> Delivery {
    let mut found = gateway.deliveries(state).await;
    assert_eq!(found.len(), 1, "exactly one delivery is {}", state.word());
    found.remove(0)
}

/// The attempts of a delivery, oldest first.
async fn attempts(gateway: &TestGateway, delivery: &Delivery) -> Vec<AttemptRecord> {
    gateway.gateway().parts().store.attempts(delivery.id).await.unwrap()
}
