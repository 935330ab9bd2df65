//! Many deliveries that wait: what each costs when it is worked off, and how much memory they take.

use super::conditions::{Watch, memory};
use super::figures::{Run, Spread};
use super::gateway::{self, delivered, work_once};
use super::{Plan, say};

/// One backlog worked off.
struct Drained {
    run: Run,
    /// The most memory meanwhile, in MB.
    peak: f64,
}

pub(crate) async fn measure(plan: &Plan) {
    plan.heading("a backlog worked off, SQLite");
    let mut before: Option<(usize, f64, f64, f64)> = None;
    for count in &plan.backlogs {
        // The largest takes as long as many rounds of the others.
        let rounds = if *count > 50_000 { plan.rounds.min(2) } else { plan.rounds };
        let mut drained = Vec::new();
        for _ in 0..rounds {
            drained.push(drain(plan, *count).await);
        }
        let each = |read: fn(&Run) -> f64| Spread::of(drained.iter().map(|it| read(&it.run)));
        let (took, cpu) = (each(Run::microseconds), each(Run::cpu_microseconds));
        let peak = Spread::of(drained.iter().map(|it| it.peak)).median;
        let first = *before.get_or_insert((*count, took.median, cpu.median, peak));
        say(&format!(
            "{count:>6} waiting: {took} µs each ({:.2} of the first), CPU {cpu} µs ({:.2}), memory {peak:.1} MB",
            took.median / first.1,
            cpu.median / first.2
        ));
        if *count > first.0 {
            let more = f64::from(u32::try_from(count - first.0).unwrap_or(u32::MAX));
            say(&format!("        {:.2} MB more for each 10,000", (peak - first.3) * 10_000.0 / more));
        }
    }
    say(&format!("peak of the process, with the filling by 256 senders: {:.1} MB", memory("VmHWM")));
}

async fn drain(plan: &Plan, count: usize) -> Drained {
    let folder = plan.folder();
    let store = gateway::open(folder.path()).await;
    gateway::fill(&store, count).await;
    let (mut done, mut peak, mut looks) = (0, memory("VmRSS"), 0_u32);
    let watch = Watch::start();
    loop {
        let settled = work_once(&store, delivered).await;
        done += settled;
        looks += 1;
        if looks.is_multiple_of(16) {
            peak = peak.max(memory("VmRSS"));
        }
        if settled == 0 {
            break;
        }
    }
    let run = watch.stop(done, 1.0);
    assert_eq!(done as usize, count, "everything that waited was done once");
    Drained { run, peak: peak.max(memory("VmRSS")) }
}
