//! Under what conditions a run was made, and what it used.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use super::figures::Run;

/// What one `fdatasync` after an append of 4 KiB takes in this folder, in microseconds: median and 99th
/// percentile.
pub(crate) fn fsync_probe(folder: &Path, times: usize) -> (f64, f64) {
    let mut file = File::create(folder.join("probe")).expect("the folder can be written to");
    let mut took: Vec<f64> = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        file.write_all(&[7; 4096]).expect("the disk has room");
        file.sync_data().expect("the disk can be written to");
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    (took[times / 2], took[times * 99 / 100])
}

/// For how much of the last ten seconds something waited for a processor, in per cent; empty where the kernel
/// does not tell.
pub(crate) fn cpu_pressure() -> String {
    let text = fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    let figure = text.split_whitespace().find_map(|word| word.strip_prefix("avg10="));
    figure.unwrap_or_default().to_owned()
}

/// Memory of this process in MB, by its name in `/proc/self/status`.
pub(crate) fn memory(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<u32>().ok());
    f64::from(kib.unwrap_or_default()) / 1024.0
}

/// Measures time and the processors' time of all threads that live now and live on.
pub(crate) struct Watch {
    began: Instant,
    cpu_seconds: f64,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { cpu_seconds: cpu_seconds(), began: Instant::now() }
    }

    pub(crate) fn stop(&self, items: u32, together: f64) -> Run {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu_seconds = (cpu_seconds() - self.cpu_seconds).max(0.0);
        Run { items, seconds, cpu_seconds, together }
    }
}

/// By the scheduler's own count, which is finer than the ticks of `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    let used = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    used.sum::<f64>() / 1e9
}
