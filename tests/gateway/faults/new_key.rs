//! The gateway's key is changed while referrals wait (docs/how-to/change-the-key.md).

use std::fs;

use super::checker;
use super::world::{PATIENCE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_changed_while_referrals_wait_loses_none_and_the_old_one_is_needed_no_more() {
    let world = World::start(1, "").await;
    world.clinic.server().stop().await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    serving.kill();

    let old = world.folder().join("gateway.key");
    let new = world.folder().join("gateway-2027.key");
    fs::write(&new, [7; 32]).unwrap();
    let (old_name, new_name) = (old.display().to_string(), new.display().to_string());
    let before = format!("encryption_key_file = \"{old_name}\"");
    let between = format!("encryption_key_file = \"{new_name}\"\nformer_key_files = [\"{old_name}\"]");
    world.rewrite(&before, &between);
    let mut serving = world.serve();
    serving.wait_for("everything is sealed under the present key");
    world.send_until_taken(0, 2).await;
    serving.kill();

    world.rewrite(&format!("\nformer_key_files = [\"{old_name}\"]"), "");
    fs::remove_file(&old).unwrap();
    let serving = world.serve();
    world.clinic.server().restart().await.unwrap();
    assert!(world.clinic.wait_for_referral(2, PATIENCE).await.is_some(), "both are at the clinic");
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();

    assert!(status.success(), "{log}");
    checker::check(&world).await.assert_none();
}
