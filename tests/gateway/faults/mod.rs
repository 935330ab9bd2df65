//! What the gateway survives (reference: delivery part c): real processes that are really killed, servers and
//! disks that fail, and a checker that afterwards asks everybody. A failing seed is printed with the variable
//! that plays it again.

mod answers;
mod backups;
mod balancer;
mod bodies;
mod certificates;
mod checker;
mod clocks;
mod crash_points;
mod crash_replies;
mod database;
mod disk;
mod instances;
mod late_effects;
mod ledger;
mod lost_commit;
mod new_key;
mod proxy;
pub mod random;
mod readers;
mod replays;
mod soak;
mod storms;
mod tampered;
mod watchdogs;
mod world;
