//! What one referral of 55 KiB costs on one core: parsing, validating, translating: `cargo bench --bench referral`.
//!
//! Parsing stands beside validation as its measure: the aim is that validation costs less. The whole road on one
//! core is aimed at 2,000 referrals a second. Compiling everything that is known at the start is aimed at 300 ms.

mod message;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use referral_gateway::fhir::json;
use referral_gateway::validation::{self, ProfileLibrary, Rules};

fn main() {
    validation::prepare();
    divan::main();
}

#[divan::bench]
fn parsed(bencher: Bencher<'_, '_>) {
    let body = message::body();
    bencher.counter(ItemsCount::new(1_usize)).bench(|| json::parse(black_box(&body)));
}

#[divan::bench]
fn validated(bencher: Bencher<'_, '_>) {
    let message = json::parse(&message::body()).expect("the message is JSON");
    let rules = Rules::default();
    assert_eq!(validation::check_message(&message, &rules), []);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| validation::check_message(black_box(&message), &rules));
}

#[divan::bench]
fn validated_against_a_profile_too(bencher: Bencher<'_, '_>) {
    let message = json::parse(&message::body()).expect("the message is JSON");
    let library = ProfileLibrary::compile(&[message::profile()]);
    let rules = library.rules([message::PROFILE]).expect("the profile can be used");
    assert_eq!(validation::check_message(&message, &rules), []);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| validation::check_message(black_box(&message), &rules));
}

#[divan::bench]
fn parsed_validated_and_translated(bencher: Bencher<'_, '_>) {
    let body = message::body();
    let rules = Rules::default();
    let road = message::Road::new();
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let message = json::parse(black_box(&body)).expect("the message is JSON");
        let issues = validation::check_message(&message, &rules);
        (issues, road.translate(&message))
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn the_schema_of_all_types_compiled() {
    validation::compile_anew();
}
