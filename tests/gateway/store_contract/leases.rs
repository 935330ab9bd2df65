//! Who may work on what, and for how long.

use std::sync::Arc;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::endpoint::EndpointLimits;
use referral_gateway::model::work::{Effect, Settled, Settlement};
use referral_gateway::store::ClaimLimits;

use super::{
    LEASE, PLENTY, accept, at, at_clinic, backends, cause, claim, delivered, ended, ledgers, limits, owe,
    owed, retry, settle,
};

#[tokio::test]
async fn work_is_leased_to_one_at_a_time() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;

        let first = claim(&store, at(0)).await;
        let second = claim(&store, at(59)).await;

        assert_eq!((first.len(), second.len()), (1, 0));
        assert_eq!(first[0].until, at(60));
    }
}

#[tokio::test]
async fn only_due_work_is_leased() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(0)).await.remove(0);
        settle(&store, &lease, retry(at(30), Effect::None), at(1)).await;

        let early = store.claim(at(29), LEASE, PLENTY).await.unwrap();
        let later = claim(&store, at(30)).await;

        assert_eq!((early.leases.len(), early.ask_again, later.len()), (0, Some(at(30)), 1));
        assert_eq!(later[0].delivery.attempts, 1);
        assert!(!later[0].delivery.effect_unknown);
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_cannot_settle_over_its_successor() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;
        let slow = claim(&store, at(0)).await.remove(0);
        let successor = claim(&store, at(61)).await.remove(0);

        let late = store.settle(&slow, ended(Settlement::Dead(cause())), at(62)).await.unwrap();
        let mine = store.settle(&successor, ended(Settlement::Superseded), at(63)).await.unwrap();

        assert_eq!((late, mine), (Settled::Fenced, Settled::Recorded(None)));
        assert!(successor.token > slow.token);
        assert!(successor.delivery.effect_unknown, "the slow one may have had an effect");
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Superseded, 1)]);
    }
}

#[tokio::test]
async fn a_lease_settles_once() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(0)).await.remove(0);
        settle(&store, &lease, Settlement::Superseded, at(1)).await;

        let again = store.settle(&lease, ended(Settlement::Dead(cause())), at(2)).await.unwrap();

        assert_eq!(again, Settled::Fenced);
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Superseded, 1)]);
    }
}

#[tokio::test]
async fn an_endpoint_gets_no_more_than_its_share_of_the_workers() {
    for (store, _backend) in ledgers().await {
        for n in 1..=6 {
            let referral = at_clinic(&store, "lakeside", n).await;
            owe(&store, referral, &n.to_string(), "2").await;
        }
        let other = at_clinic(&store, "northside", 7).await;
        owe(&store, other, "7", "2").await;
        let few = limits(16, 4);

        let first = store.claim(at(10), LEASE, few.clone()).await.unwrap().leases;
        let second = store.claim(at(10), LEASE, few.clone()).await.unwrap().leases;
        let done = first.iter().find(|it| it.delivery.partner.as_str() == "lakeside").unwrap();
        settle(&store, done, delivered(), at(11)).await;
        let third = store.claim(at(11), LEASE, few.clone()).await.unwrap().leases;

        let of = |leases: &[referral_gateway::model::work::Lease], id: &str| {
            leases.iter().filter(|it| it.delivery.partner.as_str() == id).count()
        };
        assert_eq!((of(&first, "lakeside"), of(&first, "northside")), (4, 1));
        assert_eq!((second.len(), third.len()), (0, 1));
    }
}

#[tokio::test]
async fn no_more_is_leased_than_was_asked_for() {
    for (store, _backend) in ledgers().await {
        for number in 0..5 {
            accept(&store, "lakeside", &number.to_string()).await;
        }

        let leases = store.claim(at(0), LEASE, limits(3, 100)).await.unwrap().leases;

        assert_eq!(leases.len(), 3);
    }
}

#[tokio::test]
async fn work_that_a_crash_cut_off_is_looked_for_after_the_quiet_period() {
    for backend in backends().await {
        let store = backend.open().await;
        accept(&store, "lakeside", "A").await;
        claim(&store, at(0)).await;
        drop(store);

        let store = backend.open().await;
        let interrupted = store.recover(at(60)).await.unwrap();
        let early = claim(&store, at(59)).await.len();
        let lease = claim(&store, at(60)).await.remove(0);

        assert_eq!((interrupted, early), (1, 0));
        assert!(lease.delivery.effect_unknown);
        assert_eq!(store.attempts(lease.delivery.id).await.unwrap().len(), 2);
        assert_eq!(store.recover(at(120)).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn an_attempt_is_on_record_from_its_beginning() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        let begun = store.attempts(lease.delivery.id).await.unwrap().remove(0);

        settle(&store, &lease, delivered(), at(12)).await;

        let ended = store.attempts(lease.delivery.id).await.unwrap().remove(0);
        assert_eq!((begun.started, begun.ended, begun.outcome), (at(10), None, None));
        assert_eq!((ended.ended, ended.outcome.as_deref()), (Some(at(12)), Some("delivered")));
        assert_eq!(ended.decision.as_deref(), Some("permit by a-rule"));
        assert_eq!(ended.consents, ["Consent/3/_history/1"]);
        assert_eq!(owed(&store).await[0].state, DeliveryState::Delivered);
    }
}

#[tokio::test]
async fn where_an_effect_was_put_is_kept_until_it_is_known_to_be_the_only_one() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(0)).await.remove(0);
        let placed = Some("ServiceRequest/7".to_owned());
        let verifying = Settlement::Retry {
            cause: cause(),
            at: at(10),
            counted: false,
            placed,
            told_at: None,
            effect: Effect::Unknown,
        };
        settle(&store, &lease, verifying, at(1)).await;

        let look = claim(&store, at(10)).await.remove(0);
        settle(&store, &look, retry(at(20), Effect::None), at(11)).await;
        let again = claim(&store, at(20)).await.remove(0);

        assert_eq!(look.delivery.placed.as_deref(), Some("ServiceRequest/7"));
        assert_eq!((look.delivery.attempts, again.delivery.attempts), (0, 1));
        assert_eq!(again.delivery.placed, look.delivery.placed);
        assert!(again.delivery.effect_unknown);
    }
}

#[tokio::test]
async fn a_server_may_have_limits_of_its_own() {
    for (store, _backend) in ledgers().await {
        for number in 0..6 {
            accept(&store, "lakeside", &format!("order-{number}")).await;
        }
        let own = [("@clinic".to_owned(), EndpointLimits { at_once: 2, per_second: 0 })];
        let own = Some(Arc::new(own.into_iter().collect()));

        let taken = store.claim(at(0), LEASE, ClaimLimits { own, ..limits(16, 4) }).await.unwrap();

        assert_eq!(taken.leases.len(), 2);
    }
}
