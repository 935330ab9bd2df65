//! Any shape of Consent, however broken, gives hold with the reason, never a panic and never a release. Some
//! thousand runs here; the long one is `cargo bench --bench consent_fuzz`.

#[path = "../../benches/broken_consents/mod.rs"]
mod breaking;

use std::collections::BTreeSet;

use breaking::choice::Choice;
use breaking::scene::Scene;
use breaking::{Run, good, oracle};
use referral_gateway::consent::standing::Standing;

#[test]
fn no_broken_consent_makes_anything_go() {
    let (scene, good) = (Scene::new(), good::consents());
    let mut reasons = BTreeSet::new();

    for seed in 0..4000 {
        let run = Run::of(&scene, &good, &mut Choice::seeded(seed));
        match oracle::check(&run) {
            Ok(Standing::Doubtful(reason) | Standing::Ignored(reason) | Standing::DeniesOnly(reason)) => {
                reasons.insert(reason);
            }
            Ok(Standing::Counts) => {}
            Err(problem) => panic!("seed {seed}: {problem}: {}", run.broken),
        }
    }

    assert!(reasons.len() > 8, "the ways to break a Consent reach too little: {reasons:?}");
}
