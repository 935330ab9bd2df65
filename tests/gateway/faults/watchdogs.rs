//! The checker barks: what it is there to find, it finds.

use referral_gateway::sandbox::fhir_server::FhirServer;
use rusqlite::Connection;

use super::checker::{self, Findings};
use super::world::{PATIENCE, World};

/// A world at rest with one referral, and an update of it at lakeside.
async fn at_rest() -> World {
    let world = World::start(2, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    let referral = world.clinic.wait_for_referral(1, PATIENCE).await.unwrap();
    world.wait_until_settled(PATIENCE).await;
    world.clinic.accept(&referral);
    world.clinic_calls().await;
    let lakeside = world.partners[0].server();
    assert!(lakeside.wait_until(|it| it.all("Task").len() == 1, PATIENCE).await);
    world.wait_until_settled(PATIENCE).await;
    serving.terminate();
    world
}

/// The same once more, at this server or another.
fn twin(from: &FhirServer, to: &FhirServer, resource_type: &str) {
    let mut resource = from.all(resource_type).remove(0);
    resource.as_object_mut().unwrap().remove("id");
    to.create(resource);
}

fn change(world: &World, change: &str) {
    Connection::open(world.ledger_file()).unwrap().execute_batch(change).unwrap();
}

/// Where nothing was harmed nothing is found; then this is.
async fn assert_found(harm: impl FnOnce(&World), found: impl FnOnce(&Findings) -> bool) {
    let world = at_rest().await;
    checker::check(&world).await.assert_none();
    harm(&world);
    let findings = checker::check(&world).await;
    assert!(found(&findings), "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_what_is_wrong_at_a_partner() {
    let twice = |world: &World| twin(world.partners[0].server(), world.partners[0].server(), "Task");
    assert_found(twice, |it| !it.doubled.is_empty()).await;
    let elsewhere = |world: &World| twin(world.partners[0].server(), world.partners[1].server(), "Task");
    assert_found(elsewhere, |it| !it.wrong.is_empty()).await;
    let gone = |world: &World| world.partners[0].server().delete("Task", "1");
    assert_found(gone, |it| !it.out_of_order.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_what_is_wrong_at_the_clinic() {
    let twice = |world: &World| twin(world.clinic.server(), world.clinic.server(), "ServiceRequest");
    assert_found(twice, |it| !it.doubled.is_empty()).await;
    let gone = |world: &World| {
        let order = world.clinic.server().all("ServiceRequest").remove(0);
        world.clinic.server().delete("ServiceRequest", order["id"].as_str().unwrap());
    };
    assert_found(gone, |it| !it.lost.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_what_is_wrong_in_the_ledger() {
    let owed = |world: &World| change(world, "UPDATE delivery SET state = 2 WHERE resource_type IS NULL");
    assert_found(owed, |it| it.pending == 1).await;
    let gone = |world: &World| change(world, "PRAGMA foreign_keys = OFF; DELETE FROM referral");
    assert_found(gone, |it| !it.lost.is_empty() && !it.wrong.is_empty()).await;
    let unproved = "DELETE FROM audit WHERE rowid = (SELECT MIN(rowid) FROM audit)";
    assert_found(|world| change(world, unproved), |it| !it.wrong.is_empty()).await;
}
