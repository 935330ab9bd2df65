//! Every choice of a run is made by the fuzzer's bytes, which learns which choices reach new code:
//! `cargo +nightly fuzz run --fuzz-dir benches/fuzz consent -- -max_total_time=600`.

#![no_main]

#[path = "../../broken_consents/mod.rs"]
mod broken_consents;

use std::sync::LazyLock;

use broken_consents::choice::Choice;
use broken_consents::scene::Scene;
use broken_consents::{Run, good, oracle};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static SCENE: LazyLock<Scene> = LazyLock::new(Scene::new);
static GOOD: LazyLock<Vec<Value>> = LazyLock::new(good::consents);

fuzz_target!(|bytes: &[u8]| {
    let mut left = bytes;
    // Two bytes a choice; when they end, always the first.
    let mut choice = Choice(Box::new(move || {
        let (taken, rest) = left.split_at(left.len().min(2));
        left = rest;
        taken.iter().fold(0, |number, it| number << 8 | u64::from(*it))
    }));
    let mut run = Run::of(&SCENE, &GOOD, &mut choice);
    // What is JSON by itself is a Consent of its own, however odd.
    if let Ok(parsed) = serde_json::from_slice(bytes) {
        run.broken = parsed;
    }
    if let Err(problem) = oracle::check(&run) {
        panic!("{problem}: {}", run.broken);
    }
});
