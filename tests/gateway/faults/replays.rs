//! What comes back after an outage, and what operators order meanwhile: no storm, nothing twice, nothing that is
//! owed destroyed (reference: delivery F22, F50, F51).

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use referral_gateway::model::clock::Clock as _;
use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::replay::{NewReplay, ReplayFilter};
use referral_gateway::model::retention::Retention;
use referral_gateway::sandbox::fhir_server::{Fault, Misbehaviour};
use referral_gateway::sandbox::people::{self, ReferralOptions};
use referral_gateway::store::Store;
use rusqlite::Connection;
use serde_json::json;

use crate::support::TestGateway;

const MONTH: Retention = Retention {
    payloads: Duration::from_hours(24 * 30),
    attempts: Duration::from_hours(24 * 365),
    trail: Duration::from_hours(24 * 365),
};

/// Takes in the referrals of these seeds; nothing is forwarded yet.
async fn take_in(gateway: &mut TestGateway, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let bundle = people::referral(seed, &ReferralOptions::default());
        assert_eq!(gateway.send_bundle("lakeside", &bundle).await.status, 200);
    }
}

/// The same, and the clinic refuses each for good.
async fn dead(gateway: &mut TestGateway, seeds: std::ops::Range<u64>) {
    take_in(gateway, seeds.clone()).await;
    gateway.clinic().server().faults().always(Some(refusal()));
    gateway.work().await;
    gateway.clinic().server().faults().clear();
    let dead = gateway.deliveries(DeliveryState::Dead).await;
    assert_eq!(dead.len() as u64, seeds.end - seeds.start);
}

/// A refusal that no time mends.
fn refusal() -> Fault {
    let body = Some(json!({ "resourceType": "OperationOutcome", "issue": [
        { "severity": "error", "code": "business-rule" },
    ]}));
    Fault::new(Misbehaviour::Status { status: 422, retry_after: None, body }).on("POST", "")
}

fn store(gateway: &TestGateway) -> &dyn Store {
    &*gateway.gateway().parts().store
}

async fn order(gateway: &TestGateway, per_minute: u32) {
    let (by, why) = ("amina".to_owned(), "the clinic takes them now".to_owned());
    let new = NewReplay { filter: ReplayFilter::default(), per_minute, by, why };
    store(gateway).begin_replay(new, gateway.clock().now()).await.unwrap();
}

/// A second of the gateway's life, with its housekeeping.
async fn second(gateway: &TestGateway) {
    gateway.clock().advance(Duration::from_secs(1));
    while store(gateway).replay_some(gateway.clock().now()).await.unwrap() {}
    gateway.work().await;
}

/// Each referral stands at the clinic once.
fn assert_each_once(gateway: &TestGateway, count: usize) {
    let tasks = gateway.clinic().server().all("Task");
    let numbers: BTreeSet<String> = tasks.iter().map(|it| it["identifier"].to_string()).collect();
    assert_eq!((tasks.len(), numbers.len(), gateway.clinic().referrals().len()), (count, count, count));
}

#[tokio::test]
async fn a_clinic_that_comes_back_after_ten_minutes_meets_no_storm() {
    let mut gateway = TestGateway::start().await;
    gateway.clinic().server().faults().always(Some(Fault::status(502)));
    take_in(&mut gateway, 1..121).await;
    for _ in 0..60 {
        gateway.work().await;
        gateway.clock().advance(Duration::from_secs(10));
    }
    let in_vain = gateway.clinic().server().requests().len();
    assert!(in_vain <= 20, "{in_vain} requests while it was down");

    gateway.clinic().server().faults().clear();
    let (mut most_at_once, mut back) = (0, None);
    for second in 0..3600 {
        gateway.clock().advance(Duration::from_secs(1));
        let at_once = gateway.gateway().parts().worker.run_due().await.unwrap();
        if at_once > 0 && second - *back.get_or_insert(second) < 300 {
            most_at_once = most_at_once.max(at_once);
        }
    }

    assert_eq!(most_at_once, 1, "it gets a quarter of its concurrency for the first five minutes");
    assert_each_once(&gateway, 120);
    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 120);
    assert_eq!(gateway.log_text().matches("a server works again").count(), 1);
}

#[tokio::test]
async fn a_replay_in_live_traffic_that_is_cut_off_and_ordered_again_doubles_nothing() {
    let mut gateway = TestGateway::start().await;
    dead(&mut gateway, 1..61).await;

    order(&gateway, 600).await;
    for live in 61..64 {
        second(&gateway).await;
        take_in(&mut gateway, live..live + 1).await;
        gateway.work().await;
        assert_eq!(gateway.deliveries(DeliveryState::Queued).await.len(), 0, "live traffic does not wait");
    }
    let half = gateway.clinic().referrals().len();
    assert!((20..60).contains(&half), "{half}");
    gateway.restart().await;
    order(&gateway, 600).await;
    for live in 64..84 {
        take_in(&mut gateway, live..live + 1).await;
        second(&gateway).await;
    }

    assert_each_once(&gateway, 83);
    let replays = store(&gateway).replays().await.unwrap();
    assert!(replays.iter().all(|it| it.state == "done"), "{replays:?}");
    assert_eq!(replays.iter().map(|it| it.replayed).sum::<u64>(), 60, "each was made due by one of them");
    assert!((gateway.metrics().await["refgw_replayed_total"] - 60.0).abs() < 0.5);
}

/// The wrapped keys of these referrals' bodies, as they are stored.
fn wrapped_keys(gateway: &TestGateway) -> Vec<Vec<u8>> {
    let ledger = Connection::open(gateway.ledger()).unwrap();
    let mut rows = ledger.prepare("SELECT wrapped_key FROM payload WHERE wrapped_key IS NOT NULL").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_purge_that_races_a_replay_and_deliveries_destroys_only_what_is_finished_and_that_for_good() {
    let mut gateway = TestGateway::start().await;
    take_in(&mut gateway, 1..11).await;
    gateway.work().await;
    let finished = wrapped_keys(&gateway);
    assert_eq!(finished.len(), 10);
    dead(&mut gateway, 11..31).await;
    gateway.clock().advance(Duration::from_hours(24 * 40));
    take_in(&mut gateway, 31..41).await;
    order(&gateway, 600).await;

    let (mut rounds, mut purged) = (0, 0);
    while rounds < 10 {
        gateway.clock().advance(Duration::from_secs(1));
        let now = gateway.clock().now();
        let replay = async { while store(&gateway).replay_some(now).await.unwrap() {} };
        let purge = async {
            let mut sum = 0;
            for _ in 0..5 {
                sum += store(&gateway).purge(MONTH, now).await.unwrap().payloads;
            }
            sum
        };
        let ((), sum, ()) = tokio::join!(replay, purge, gateway.work());
        (rounds, purged) = (rounds + 1, purged + sum);
    }

    assert_eq!(purged, 10, "what was finished long ago, and nothing that was owed");
    assert_each_once(&gateway, 40);
    assert_eq!(gateway.deliveries(DeliveryState::Delivered).await.len(), 40);
    assert_eq!(wrapped_keys(&gateway).len(), 30);
    gateway.stop().await;
    for entry in fs::read_dir(gateway.folder()).unwrap().map(Result::unwrap) {
        let bytes = fs::read(entry.path()).unwrap_or_default();
        for key in &finished {
            let found = bytes.windows(key.len()).any(|it| it == key);
            assert!(!found, "{} still holds a purged key", entry.path().display());
        }
    }
}
