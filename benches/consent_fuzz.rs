//! Breaks Consents for as long as it is told: `cargo bench --bench consent_fuzz -- --seconds 600 --seed 1`.
//! The seed of a run that is not as it must be is printed; `--seconds 0 --seed THAT` does this one again.

mod broken_consents;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use broken_consents::choice::Choice;
use broken_consents::scene::Scene;
use broken_consents::{Run, good, oracle};
use referral_gateway::consent::standing::Standing;

fn main() -> ExitCode {
    let (seconds, first) = (argument("--seconds").unwrap_or(5), argument("--seed").unwrap_or(1));
    let (scene, good) = (Scene::new(), good::consents());
    let (began, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut runs, mut stood) = (0_u64, [0_u64; 4]);
    loop {
        let seed = first.wrapping_add(runs);
        let run = Run::of(&scene, &good, &mut Choice::seeded(seed));
        match catch_unwind(AssertUnwindSafe(|| oracle::check(&run))) {
            Ok(Ok(standing)) => stood[place(standing)] += 1,
            Ok(Err(reason)) => return tell_finding(seed, &reason, &run),
            Err(_) => return tell_finding(seed, "a panic", &run),
        }
        runs += 1;
        if began.elapsed() >= limit {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64().max(0.001);
    let [counts, denies, ignored, doubtful] = stood;
    say(&format!("{runs} runs in {took:.0} s, {:.0} a second, no finding", rate(runs, took)));
    say(&format!("doubtful {doubtful}, ignored {ignored}, only denying {denies}, counting {counts}"));
    ExitCode::SUCCESS
}

const fn place(standing: Standing) -> usize {
    match standing {
        Standing::Counts => 0,
        Standing::DeniesOnly(_) => 1,
        Standing::Ignored(_) => 2,
        Standing::Doubtful(_) => 3,
    }
}

fn rate(runs: u64, took: f64) -> f64 {
    u32::try_from(runs).map_or(f64::INFINITY, f64::from) / took
}

fn argument(name: &str) -> Option<u64> {
    let given: Vec<String> = std::env::args().collect();
    let at = given.iter().position(|it| it == name)?;
    given.get(at + 1)?.parse().ok()
}

fn tell_finding(seed: u64, reason: &str, run: &Run) -> ExitCode {
    say(&format!("a finding, seed {seed}: {reason}"));
    say(&format!("broken: {}", run.broken));
    run.consents.iter().for_each(|it| say(&format!("beside: {it}")));
    ExitCode::FAILURE
}

fn say(line: &str) {
    // A reader that has gone away is no mistake.
    let _ = writeln!(io::stdout(), "{line}");
}
