//! Order within one partner and one referral.

use referral_gateway::model::delivery::DeliveryState::{
    Dead, Delivered, Held, Quarantined, Queued, Superseded, UnknownWait,
};
use referral_gateway::model::work::{Effect, Settlement};

use super::{
    Arc, LEASE, PLENTY, Store, at, at_clinic, cause, claim, delivered, held, ledgers, owe, owed, retry,
    settle, states,
};

#[tokio::test]
async fn only_the_head_of_a_lane_is_leased() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        owe(&store, referral, "9", "1").await;

        let first = claim(&store, at(10)).await;
        settle(&store, &first[0], retry(at(40), Effect::None), at(11)).await;
        let behind = claim(&store, at(39)).await;
        let head = claim(&store, at(40)).await;
        settle(&store, &head[0], delivered(), at(41)).await;
        let second = claim(&store, at(41)).await;

        assert_eq!((first.len(), behind.len(), head.len(), second.len()), (1, 0, 1, 1));
        assert_eq!(head[0].delivery.id, first[0].delivery.id);
        assert_ne!(second[0].delivery.id, first[0].delivery.id);
    }
}

#[tokio::test]
async fn another_lane_does_not_wait() {
    for (store, _backend) in ledgers().await {
        let (one, other) = (at_clinic(&store, "lakeside", 1).await, at_clinic(&store, "lakeside", 2).await);
        owe(&store, one, "1", "2").await;
        owe(&store, other, "2", "2").await;

        assert_eq!(claim(&store, at(10)).await.len(), 2);
    }
}

#[tokio::test]
async fn what_waits_behind_the_head_is_not_said_to_be_due() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        owe(&store, referral, "9", "1").await;
        let lease = claim(&store, at(10)).await.remove(0);

        settle(&store, &lease, retry(at(3600), Effect::None), at(11)).await;

        assert_eq!(store.claim(at(20), LEASE, PLENTY).await.unwrap().ask_again, Some(at(3600)));
    }
}

#[tokio::test]
async fn what_is_held_dead_or_quarantined_leaves_the_head() {
    for settlement in [held(), Settlement::Dead(cause()), Settlement::Quarantined(cause())] {
        for (store, _backend) in ledgers().await {
            let referral = at_clinic(&store, "lakeside", 1).await;
            owe(&store, referral, "1", "2").await;
            owe(&store, referral, "9", "1").await;
            let head = claim(&store, at(10)).await.remove(0);

            settle(&store, &head, settlement.clone(), at(11)).await;

            let next = claim(&store, at(11)).await.remove(0);
            assert_ne!(next.delivery.id, head.delivery.id);
        }
    }
}

#[tokio::test]
async fn a_newer_version_supersedes_what_was_never_tried_or_is_held() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        owe(&store, referral, "1", "3").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, held(), at(11)).await;
        owe(&store, referral, "1", "4").await;

        assert_eq!(states(&store).await, [Superseded, Superseded, Queued]);
    }
}

#[tokio::test]
async fn a_version_that_may_have_taken_effect_is_not_superseded_even_when_held() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, retry(at(70), Effect::Unknown), at(11)).await;
        owe(&store, referral, "1", "3").await;
        assert_eq!(states(&store).await, [UnknownWait, Queued]);

        let lease = claim(&store, at(70)).await.remove(0);
        settle(&store, &lease, held(), at(71)).await;
        owe(&store, referral, "1", "4").await;

        assert_eq!(states(&store).await, [Held, Superseded, Queued]);
        assert!(claim(&store, at(72)).await.is_empty(), "the newer one waits for the one that may be out");
    }
}

#[tokio::test]
async fn a_later_version_knows_where_the_earlier_one_stands() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, delivered(), at(11)).await;

        owe(&store, referral, "1", "3").await;

        let remote = claim(&store, at(12)).await.remove(0).delivery.remote.unwrap();
        assert_eq!((remote.reference.as_str(), remote.etag.as_deref()), ("Task/8", Some("W/\"1\"")));
    }
}

#[tokio::test]
async fn a_dead_delivery_can_be_retried_unless_a_newer_version_is_out() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, Settlement::Dead(cause()), at(11)).await;
        let dead = lease.delivery.id;

        assert!(store.retry(dead, at(12)).await.unwrap());
        let lease = claim(&store, at(12)).await.remove(0);
        assert_eq!(lease.delivery.id, dead);
        assert!(!store.retry(dead, at(13)).await.unwrap(), "it is in flight");
        settle(&store, &lease, Settlement::Dead(cause()), at(14)).await;
        owe(&store, referral, "1", "3").await;
        let newer = claim(&store, at(15)).await.remove(0);
        settle(&store, &newer, delivered(), at(16)).await;

        assert!(!store.retry(dead, at(17)).await.unwrap(), "a newer one is out");
        assert_eq!(states(&store).await, [Dead, Delivered]);
    }
}

#[tokio::test]
async fn nothing_that_was_accepted_is_lost_from_the_counts() {
    for (store, _backend) in ledgers().await {
        let endings = [
            delivered(),
            held(),
            Settlement::Dead(cause()),
            Settlement::Quarantined(cause()),
            Settlement::Superseded,
            retry(at(99), Effect::None),
            retry(at(99), Effect::Unknown),
            Settlement::InInbox(super::decision("permit")),
        ];
        for (n, ending) in endings.into_iter().enumerate() {
            let referral = at_clinic(&store, "lakeside", n).await;
            owe(&store, referral, &n.to_string(), "2").await;
            let lease = claim(&store, at(10)).await.remove(0);
            settle(&store, &lease, ending, at(11)).await;
        }

        let counts = store.counts().await.unwrap();

        assert_eq!(counts.iter().map(|it| it.1).sum::<u64>(), 16, "eight referrals, eight updates");
        assert_eq!(owed(&store).await.len(), 8);
        assert!(counts.contains(&(Quarantined, 1)) && counts.contains(&(Delivered, 9)), "{counts:?}");
    }
}

/// Updates that failed once and wait for hours: `unknown` of them may have taken effect.
async fn waiting_for_hours(store: &Arc<dyn Store>, count: usize, unknown: usize) {
    for n in 1..=count {
        let referral = at_clinic(store, "lakeside", n).await;
        owe(store, referral, &n.to_string(), "2").await;
    }
    let mut left = count;
    while left > 0 {
        for lease in claim(store, at(20)).await {
            let effect = if left <= unknown { Effect::Unknown } else { Effect::None };
            // Each at a time of its own, as waits are.
            let due = at(7200 + i64::try_from(left).unwrap());
            settle(store, &lease, retry(due, effect), at(21)).await;
            left -= 1;
        }
    }
}

#[tokio::test]
async fn what_waits_for_a_server_that_works_again_is_due_and_what_may_be_there_is_looked_for_first() {
    for (store, _backend) in ledgers().await {
        waiting_for_hours(&store, 5, 2).await;
        assert!(claim(&store, at(100)).await.is_empty());

        assert_eq!(store.hasten("northside", at(100), at(160)).await.unwrap(), 0);
        assert_eq!(store.hasten("lakeside", at(100), at(160)).await.unwrap(), 5);

        let due: Vec<_> = owed(&store).await.iter().map(|it| (it.effect_unknown, it.due)).collect();
        assert_eq!(due.iter().filter(|it| **it == (false, at(100))).count(), 3, "{due:?}");
        assert_eq!(due.iter().filter(|it| **it == (true, at(160))).count(), 2, "{due:?}");
        assert!(!claim(&store, at(100)).await.is_empty());
        assert_eq!(store.hasten("lakeside", at(161), at(221)).await.unwrap(), 0, "all of it is due");
    }
}

#[tokio::test]
async fn what_consent_holds_is_not_hastened_and_a_long_queue_is_to_its_end() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1000).await;
        owe(&store, referral, "1000", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, retry(at(11), Effect::None), at(10)).await;
        let lease = claim(&store, at(11)).await.remove(0);
        settle(&store, &lease, held(), at(11)).await;
        waiting_for_hours(&store, 210, 0).await;

        assert_eq!(store.hasten("lakeside", at(100), at(160)).await.unwrap(), 210);

        let held = owed(&store).await.into_iter().find(|it| it.state == Held).unwrap();
        assert_eq!(held.due, at(300));
    }
}
