//! Random days of a ledger against a simple model of what must be visible (reference: delivery F55): one head a
//! lane in flight, states, due times, conservation, idempotency, fencing, bodies.
//!
//! A run is bounded by time. `MODEL_STEPS=100000` makes it as long as that; `MODEL_SEED` plays one sequence again,
//! and a failure tells it.

mod model;
mod play;
mod steps;

use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime::Runtime;

use super::{Backend, Postgres, PostgresServer, Sqlite, options};
use crate::faults::random::number_from;
use play::Play;

/// So many things happen in one ledger.
const STEPS: u64 = 150;

/// An ordinary run of one engine.
const ORDINARY: Duration = Duration::from_secs(3);

#[test]
fn the_embedded_ledger_shows_what_the_model_says() {
    play(|_| Some(Box::new(Sqlite(tempfile::tempdir().unwrap()))));
}

#[test]
fn the_shared_ledger_shows_what_the_model_says() {
    play(|runtime| {
        let server = PostgresServer::shared()?;
        Some(Box::new(Postgres(options(runtime.block_on(server.database())))))
    });
}

fn play(new_ledger: impl Fn(&Runtime) -> Option<Box<dyn Backend>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let one = number_from("MODEL_SEED", 0);
    let steps = number_from("MODEL_STEPS", 0);
    let first = if one > 0 { one } else { fresh_seed() };
    let began = Instant::now();
    for round in 0.. {
        let enough = match (one, steps) {
            (0, 0) => began.elapsed() >= ORDINARY,
            (0, steps) => round * STEPS >= steps,
            _ => round > 0,
        };
        if enough {
            return;
        }
        let seed = first.wrapping_add(round);
        let config =
            Config { cases: 1, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let strategy = steps::steps(usize::try_from(STEPS).unwrap());
        let outcome = TestRunner::new_with_rng(config, random).run(&strategy, |steps| {
            if let Some(backend) = new_ledger(&runtime) {
                runtime.block_on(async { Play::begin(&*backend).await.all(&steps).await });
            }
            Ok(())
        });
        assert!(outcome.is_ok(), "MODEL_SEED={seed}: {}", outcome.unwrap_err());
    }
}

/// Another one each time: over many runs much is tried.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish().max(1)
}
