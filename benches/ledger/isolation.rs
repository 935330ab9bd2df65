//! A server that is paused or fails, with much waiting for it, beside one that works.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use referral_gateway::model::delivery::{CLINIC, Cause};
use referral_gateway::model::endpoint::AttemptEnd;
use referral_gateway::model::ids::ReferralId;
use referral_gateway::model::partner::Share;
use referral_gateway::model::referral::{ClinicRecord, Written};
use referral_gateway::model::update::{ResourceVersion, Update};
use referral_gateway::model::work::{Effect, Ended, Lease, Settlement};
use referral_gateway::store::sqlite::SqliteStore;
use referral_gateway::store::{Endpoints as _, Noticed, Updates as _};

use super::conditions::Watch;
use super::figures::{Pairs, Run, Spread};
use super::gateway::{self, AT_ONCE, delivered, work_once};
use super::{Plan, say};

/// So many updates are sent in one round.
const PER_ROUND: usize = 8 * AT_ONCE;

pub(crate) async fn measure(plan: &Plan) {
    let waiting = plan.backlogs.last().copied().unwrap_or_default();
    plan.heading("one server works, another has much waiting, SQLite");
    let (calm, loaded) = (plan.folder(), plan.folder());
    let rounds = plan.rounds * 2;
    let calm = with_updates(calm.path(), rounds).await;
    let loaded = with_updates(loaded.path(), rounds).await;
    gateway::fill(&loaded, waiting).await;

    fail_at_the_clinic(&loaded).await;
    let failing = rounds_of(plan, &calm, &loaded).await;
    say(&format!("{waiting} wait for one that fails: {}", told(&failing)));
    loaded.pause(CLINIC, "bench", "to see", gateway::now()).await.expect("a server can be paused");
    let paused = rounds_of(plan, &calm, &loaded).await;
    say(&format!("{waiting} wait for one that is paused: {}", told(&paused)));
}

fn told(pairs: &Pairs) -> String {
    let each = |read: fn(&(Run, Run)) -> f64| Spread::of(pairs.0.iter().map(read));
    format!(
        "{} µs for one of the other's, {} without; {:.2} of the time, CPU {:.2}",
        each(|it| it.0.microseconds()),
        each(|it| it.1.microseconds()),
        each(|it| it.0.microseconds() / it.1.microseconds()),
        each(|it| it.0.cpu_microseconds() / it.1.cpu_microseconds())
    )
}

async fn rounds_of(plan: &Plan, calm: &Arc<SqliteStore>, loaded: &Arc<SqliteStore>) -> Pairs {
    let mut pairs = Pairs::default();
    for _ in 0..plan.rounds {
        let with = one_round(loaded).await;
        pairs.0.push((with, one_round(calm).await));
    }
    pairs
}

async fn one_round(store: &Arc<SqliteStore>) -> Run {
    let (mut done, watch) = (0, Watch::start());
    while (done as usize) < PER_ROUND {
        let settled = work_once(store, delivered).await;
        assert!(settled > 0, "updates are left");
        done += settled;
    }
    watch.stop(done, 1.0)
}

/// A ledger in which updates wait for a partner, and nothing for the clinic.
async fn with_updates(folder: &Path, rounds: usize) -> Arc<SqliteStore> {
    let store = gateway::open(folder).await;
    let referrals = gateway::fill(&store, rounds * PER_ROUND).await;
    while work_once(&store, forwarded).await > 0 {}
    for some in referrals.chunks(256) {
        let updates = some.iter().map(|referral| Update {
            referral: *referral,
            resource: version("Task", *referral, "2"),
            share: Share::ReferralStatus,
        });
        let noticed = Noticed { updates: updates.collect(), ..Noticed::nothing("Task", gateway::now()) };
        store.record(noticed, gateway::now()).await.expect("updates can be recorded");
    }
    store
}

fn forwarded(lease: &Lease) -> Ended {
    let of = lease.delivery.referral;
    let written = ["Patient", "ServiceRequest", "Task"].into_iter().enumerate();
    let written = written
        .map(|(entry, name)| Written { entry: Some(entry), resource: version(name, of, "1") })
        .collect();
    let record = ClinicRecord { written, at: Some(gateway::now()) };
    Ended { settlement: Settlement::Forwarded(record), end: AttemptEnd::Answered, random: 0.5 }
}

fn version(resource_type: &str, of: ReferralId, version: &str) -> ResourceVersion {
    ResourceVersion {
        resource_type: resource_type.to_owned(),
        id: of.to_string(),
        version: version.to_owned(),
    }
}

/// Until its circuit is open.
async fn fail_at_the_clinic(store: &Arc<SqliteStore>) {
    let later: Timestamp =
        gateway::now().saturating_add(Duration::from_hours(1)).expect("a time of this age");
    let failed = |lease: &Lease| {
        if lease.delivery.endpoint() != CLINIC {
            return delivered(lease);
        }
        let cause = Cause { code: "status", http_status: Some(503) };
        let settlement = Settlement::Retry {
            cause,
            at: later,
            counted: true,
            placed: None,
            told_at: None,
            effect: Effect::None,
        };
        Ended { settlement, end: AttemptEnd::Failed, random: 0.5 }
    };
    // Claims go by the names of the servers, so the first is the clinic's alone.
    work_once(store, failed).await;
}
