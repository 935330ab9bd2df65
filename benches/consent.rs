//! What a consent decision costs, with allocations: `cargo bench --bench consent`.
//!
//! Beside the decisions stand two floors for the same Consents: walking every element of them once, and cloning
//! them. A decision is one resource for one recipient.

mod setting;

use divan::{AllocProfiler, Bencher, black_box};
use referral_gateway::consent::{decide, examine};
use serde_json::Value;

use setting::{Consents, Setting};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// What is decided on.
const CASES: [Consents; 5] = [
    Consents::Simple(0),
    Consents::Simple(1),
    Consents::Simple(100),
    Consents::Levels(10),
    Consents::Rules(10),
];

fn main() {
    divan::main();
}

#[divan::bench(args = CASES)]
fn decided(bencher: Bencher<'_, '_>, consents: Consents) {
    let setting = Setting::new(consents);
    bencher.bench(|| decide(black_box(&setting.disclosure())));
}

#[divan::bench(args = CASES)]
fn decided_with_its_trace(bencher: Bencher<'_, '_>, consents: Consents) {
    let setting = Setting::new(consents);
    bencher.bench(|| examine(black_box(&setting.disclosure())));
}

#[divan::bench(args = CASES)]
fn every_element_walked(bencher: Bencher<'_, '_>, consents: Consents) {
    let setting = Setting::new(consents);
    bencher.bench(|| black_box(&setting.consents).iter().map(elements).sum::<usize>());
}

#[divan::bench(args = CASES)]
fn cloned(bencher: Bencher<'_, '_>, consents: Consents) {
    let setting = Setting::new(consents);
    bencher.bench(|| black_box(&setting.consents).clone());
}

fn elements(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.iter().map(|(name, it)| name.len() + elements(it)).sum(),
        Value::Array(list) => list.iter().map(elements).sum(),
        Value::String(text) => text.len(),
        _ => 1,
    }
}
