//! What operators order: again, not at all, a server left alone.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::replay::{NewReplay, ReplayFilter};
use referral_gateway::model::work::{Effect, Settlement};

use super::{
    Arc, Store, accept, at, at_clinic, backends, cause, claim, delivered, held, ledgers, owe, owed, retry,
    settle,
};

fn order(filter: ReplayFilter, per_minute: u32) -> NewReplay {
    NewReplay { filter, per_minute, by: "amina".to_owned(), why: "the clinic is back".to_owned() }
}

/// So many referrals that are dead since the second 1.
async fn dead(store: &Arc<dyn Store>, count: usize) {
    for number in 0..count {
        accept(store, "lakeside", &format!("order-{number}")).await;
    }
    for lease in claim(store, at(0)).await {
        settle(store, &lease, Settlement::Dead(cause()), at(1)).await;
    }
}

async fn replay_all(store: &Arc<dyn Store>, second: i64) -> usize {
    let mut steps = 0;
    while store.replay_some(at(second)).await.unwrap() {
        steps += 1;
    }
    steps
}

#[tokio::test]
async fn a_preview_counts_and_changes_nothing() {
    for (store, _backend) in ledgers().await {
        dead(&store, 3).await;

        let groups = store.preview_replay(ReplayFilter::default()).await.unwrap();
        let others = ReplayFilter { endpoint: Some("lakeside".to_owned()), ..ReplayFilter::default() };

        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].endpoint.as_str(), groups[0].count), ("@clinic", 3));
        assert_eq!(groups[0].reason.as_deref(), Some("status"));
        assert!(store.preview_replay(others).await.unwrap().is_empty());
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Dead, 3)]);
    }
}

#[tokio::test]
async fn a_replay_makes_each_due_once_and_says_how_far_it_is() {
    for (store, _backend) in ledgers().await {
        dead(&store, 5).await;

        store.begin_replay(order(ReplayFilter::default(), 60_000), at(10)).await.unwrap();
        replay_all(&store, 10).await;
        let again = claim(&store, at(11)).await;
        for lease in &again {
            settle(&store, lease, Settlement::Dead(cause()), at(12)).await;
        }
        replay_all(&store, 100).await;

        assert_eq!(again.len(), 5);
        let replays = store.replays().await.unwrap();
        assert_eq!((replays[0].state.as_str(), replays[0].replayed, replays[0].passed_over), ("done", 5, 0));
        assert_eq!(replays[0].ordered.by, "amina");
        assert_eq!(
            store.counts().await.unwrap(),
            [(DeliveryState::Dead, 5)],
            "what dies again is not sent twice"
        );
    }
}

#[tokio::test]
async fn a_replay_keeps_to_its_pace_and_goes_on_after_a_restart() {
    for backend in backends().await {
        let store = backend.open().await;
        dead(&store, 3).await;
        store.begin_replay(order(ReplayFilter::default(), 60), at(10)).await.unwrap();

        assert_eq!(replay_all(&store, 10).await, 1);
        assert_eq!(claim(&store, at(10)).await.len(), 1);
        drop(store);
        let store = backend.open().await;
        assert_eq!(replay_all(&store, 10).await, 0);
        assert_eq!(replay_all(&store, 11).await, 1);
        assert_eq!(claim(&store, at(11)).await.len(), 1);
    }
}

#[tokio::test]
async fn a_stopped_replay_stays_where_it_is() {
    for (store, _backend) in ledgers().await {
        dead(&store, 2).await;
        let id = store.begin_replay(order(ReplayFilter::default(), 60), at(10)).await.unwrap();
        replay_all(&store, 10).await;

        assert!(store.stop_replay(id).await.unwrap());
        assert!(!store.stop_replay(id).await.unwrap());
        assert_eq!(replay_all(&store, 1000).await, 0);
        assert_eq!(store.replays().await.unwrap()[0].state, "stopped");
    }
}

#[tokio::test]
async fn a_replay_may_be_about_one_reason_one_time_or_one_delivery() {
    for (store, _backend) in ledgers().await {
        dead(&store, 2).await;
        let count = async |filter| {
            let groups = store.preview_replay(filter).await.unwrap();
            groups.iter().map(|it| it.count).sum::<u64>()
        };
        let one = claim_nothing_and_list(&store).await;

        let id = ReplayFilter { delivery: Some(one), ..ReplayFilter::default() };
        let reason = ReplayFilter { reason: Some("timeout".to_owned()), ..ReplayFilter::default() };
        let early = ReplayFilter { until: Some(at(0)), ..ReplayFilter::default() };
        let late = ReplayFilter { from: Some(at(0)), ..ReplayFilter::default() };
        let ended = ReplayFilter { states: vec![DeliveryState::Delivered], ..ReplayFilter::default() };

        assert_eq!(
            (count(id).await, count(reason).await, count(early).await, count(late).await, count(ended).await),
            (1, 0, 0, 2, 0)
        );
    }
}

async fn claim_nothing_and_list(store: &Arc<dyn Store>) -> referral_gateway::model::ids::DeliveryId {
    let filter = referral_gateway::store::DeliveryFilter { limit: 10, ..Default::default() };
    store.deliveries(filter).await.unwrap()[0].id
}

#[tokio::test]
async fn what_was_quarantined_is_looked_for_before_it_is_sent() {
    for (store, _backend) in ledgers().await {
        let id = accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(0)).await.remove(0);
        settle(&store, &lease, Settlement::Quarantined(cause()), at(1)).await;

        assert!(store.retry(lease.delivery.id, at(2)).await.unwrap());

        let again = claim(&store, at(2)).await.remove(0);
        assert_eq!(again.delivery.referral, id);
        assert!(again.delivery.effect_unknown);
    }
}

#[tokio::test]
async fn a_cancelled_delivery_is_at_its_end_and_what_waited_behind_it_goes() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        owe(&store, referral, "9", "1").await;
        let lease = claim(&store, at(10)).await.remove(0);
        assert!(!store.cancel(lease.delivery.id, "amina", "late", at(10)).await.unwrap(), "it runs");
        settle(&store, &lease, retry(at(5000), Effect::None), at(11)).await;

        assert!(store.cancel(lease.delivery.id, "amina", "not wanted", at(12)).await.unwrap());
        let next = claim(&store, at(13)).await;

        assert_eq!(next.len(), 1);
        assert_eq!(owed(&store).await[0].state, DeliveryState::Cancelled);
        assert!(!store.retry(lease.delivery.id, at(14)).await.unwrap());
        settle(&store, &next[0], delivered(), at(14)).await;
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}

#[tokio::test]
async fn a_paused_server_gets_nothing_and_others_go_on_also_after_a_restart() {
    for backend in backends().await {
        let store = backend.open().await;
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        accept(&store, "lakeside", "order-2").await;
        store.pause("lakeside", "amina", "they move house", at(10)).await.unwrap();
        drop(store);

        let store = backend.open().await;
        let taken = claim(&store, at(11)).await;
        let reports = store.endpoints().await.unwrap();
        let lakeside = reports.iter().find(|it| it.endpoint == "lakeside").unwrap();
        store.resume("lakeside", "amina", at(12)).await.unwrap();
        let after = claim(&store, at(12)).await;

        assert_eq!((taken.len(), taken[0].delivery.endpoint()), (1, "@clinic"));
        assert_eq!((lakeside.state.word(at(11)), lakeside.waiting), ("paused", 1));
        assert_eq!(lakeside.state.paused().unwrap().why, "they move house");
        assert_eq!((after.len(), after[0].delivery.endpoint()), (1, "lakeside"));
    }
}

#[tokio::test]
async fn what_is_held_can_be_replayed_too() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, held(), at(11)).await;
        let filter = ReplayFilter { states: vec![DeliveryState::Held], ..ReplayFilter::default() };

        store.begin_replay(order(filter, 60), at(20)).await.unwrap();
        replay_all(&store, 20).await;

        assert_eq!(claim(&store, at(20)).await.len(), 1);
    }
}
