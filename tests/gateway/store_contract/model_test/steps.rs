//! What may happen to a ledger, at random.

use proptest::prelude::*;

/// One thing that happens, so many milliseconds after the last.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub after: i64,
    pub what: What,
}

/// Numbers choose among what is there, round and round.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Accept { partner: usize, number: u8, content: u8 },
    Claim { in_all: usize },
    Settle { lease: usize, ending: Ending, wait: i64 },
    Owe { referral: usize, task: u8, version: u32 },
    Consent { referral: usize, newer: bool },
    Group { newer: bool },
    Collect { entry: usize },
    Retry { entry: usize },
    Cancel { entry: usize },
    Replay { states: usize },
    ReplaySome,
    StopReplay,
    Pause { server: usize },
    Resume { server: usize },
    Restart,
    Purge,
}

/// How an attempt ends. What does not fit a delivery's kind stands for what does.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    Done,
    InInbox,
    Held { knows: bool },
    Again { counted: bool },
    Unknown { counted: bool },
    Dead,
    Quarantined,
    Superseded,
}

pub fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (after(), what()).prop_map(|(after, what)| Step { after, what });
    proptest::collection::vec(step, count)
}

fn after() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0_i64),
        20 => 1..5_000_i64,
        10 => 5_000..90_000_i64,
        1 => Just(40 * 86_400_000_i64),
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        10 => (0..2_usize, 0..6_u8, 0..8_u8)
            .prop_map(|(partner, number, content)| What::Accept { partner, number, content: content / 7 }),
        25 => prop_oneof![3 => Just(100), 1 => 1..4_usize].prop_map(|in_all| What::Claim { in_all }),
        35 => (any::<usize>(), ending(), 0..120_000_i64)
            .prop_map(|(lease, ending, wait)| What::Settle { lease, ending, wait }),
        20 => (any::<usize>(), 0..2_u8, 0..9_u32)
            .prop_map(|(referral, task, version)| What::Owe { referral, task, version }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(referral, newer)| What::Consent { referral, newer }),
        2 => any::<bool>().prop_map(|newer| What::Group { newer }),
        2 => any::<usize>().prop_map(|entry| What::Collect { entry }),
        5 => any::<usize>().prop_map(|entry| What::Retry { entry }),
        2 => any::<usize>().prop_map(|entry| What::Cancel { entry }),
        2 => (0..4_usize).prop_map(|states| What::Replay { states }),
        4 => Just(What::ReplaySome),
        1 => Just(What::StopReplay),
        1 => (0..3_usize).prop_map(|server| What::Pause { server }),
        3 => (0..3_usize).prop_map(|server| What::Resume { server }),
        1 => Just(What::Restart),
        2 => Just(What::Purge),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        8 => Just(Ending::Done),
        2 => Just(Ending::InInbox),
        4 => any::<bool>().prop_map(|knows| Ending::Held { knows }),
        3 => any::<bool>().prop_map(|counted| Ending::Again { counted }),
        3 => any::<bool>().prop_map(|counted| Ending::Unknown { counted }),
        2 => Just(Ending::Dead),
        1 => Just(Ending::Quarantined),
        1 => Just(Ending::Superseded),
    ]
}
