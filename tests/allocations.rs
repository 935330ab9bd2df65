//! The consent engine is held to its allocations: what a decision costs does not grow with the rules that it
//! reads.

#[path = "../benches/setting/mod.rs"]
mod setting;

use allocation_counter::measure;
use referral_gateway::consent::decide;

use setting::{Consents, Setting};

fn allocations(consents: Consents) -> u64 {
    let setting = Setting::new(consents);
    // What is worked out once for the program is not counted.
    drop(decide(&setting.disclosure()));
    let disclosure = setting.disclosure();
    measure(|| drop(decide(&disclosure))).count_total
}

#[test]
fn a_consent_more_costs_one_allocation_for_its_name_in_the_record() {
    let (some, more) = (allocations(Consents::Simple(10)), allocations(Consents::Simple(110)));

    assert_eq!(more - some, 100);
}

#[test]
fn a_criterion_costs_no_allocation() {
    let one = allocations(Consents::Simple(1));

    assert_eq!(allocations(Consents::Levels(10)), one);
    assert_eq!(allocations(Consents::Rules(100)), one);
}
