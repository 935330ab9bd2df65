//! A kind of writing that a server does not take.

use referral_gateway::model::delivery::{DeliveryState, Owed};
use referral_gateway::model::endpoint::AttemptEnd;
use referral_gateway::model::work::{Ended, Lease, Settled, Settlement};

use super::{
    Arc, Store, accept, at, at_clinic, backends, cause, claim, delivered, ledgers, owe, owed, settle, states,
};

/// The server does not take the kind of this one.
async fn refuse(store: &Arc<dyn Store>, lease: &Lease, second: i64) {
    let end = AttemptEnd::NotOffered { kind: lease.delivery.kind() };
    let ended = Ended { settlement: Settlement::Dead(cause()), end, random: 0.5 };
    assert_eq!(store.settle(lease, ended, at(second)).await.unwrap(), Settled::Recorded(None));
}

/// Three referrals with an update each, of which the first was refused as a kind, and what is due then.
async fn with_a_refused_kind(store: &Arc<dyn Store>) -> Vec<Lease> {
    for n in 1..=3 {
        let referral = at_clinic(store, "lakeside", n).await;
        owe(store, referral, &n.to_string(), "2").await;
    }
    let mut leases = claim(store, at(20)).await;
    assert_eq!(leases.len(), 3);
    refuse(store, &leases.remove(0), 21).await;
    leases
}

#[tokio::test]
async fn what_is_of_a_suspended_kind_is_held_and_everything_else_goes_on() {
    for (store, _backend) in ledgers().await {
        let running = with_a_refused_kind(&store).await;
        for lease in &running {
            settle(&store, lease, delivered(), at(22)).await;
        }
        let referral = at_clinic(&store, "lakeside", 4).await;
        owe(&store, referral, "4", "2").await;
        owe(&store, running[0].delivery.referral, "2b", "3").await;

        let taken = claim(&store, at(30)).await;
        let held = owed(&store).await.into_iter().filter(|it| it.state == DeliveryState::Held);
        let reasons: Vec<_> = held.map(|it| it.reason.unwrap()).collect();
        accept(&store, "lakeside", "order-5").await;

        assert_eq!(taken.len(), 0, "both are creations of Tasks");
        assert_eq!(reasons, ["kind-suspended:create-Task"; 2]);
        assert_eq!(claim(&store, at(31)).await.len(), 1, "the clinic's server is another");
        let reports = store.endpoints().await.unwrap();
        let lakeside = reports.iter().find(|it| it.endpoint == "lakeside").unwrap();
        assert_eq!(lakeside.state.word(at(31)), "limited");
        assert_eq!(lakeside.state.suspended_kinds()[0].kind, "create-Task");
        assert_eq!(lakeside.state.since(at(31)), Some(at(21)));
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}

#[tokio::test]
async fn updates_of_what_stands_there_go_on_while_creations_do_not() {
    for (store, _backend) in ledgers().await {
        let running = with_a_refused_kind(&store).await;
        for lease in &running {
            settle(&store, lease, delivered(), at(22)).await;
        }
        for lease in &running {
            let Owed::Deliver(update) = &lease.delivery.task else {
                panic!("an update");
            };
            owe(&store, lease.delivery.referral, &update.resource.id, "3").await;
        }

        let taken = claim(&store, at(30)).await;

        let kinds: Vec<String> = taken.iter().map(|it| it.delivery.kind()).collect();
        assert_eq!(kinds, ["update-Task"; 2]);
    }
}

#[tokio::test]
async fn an_operator_lifts_it_also_after_a_restart_and_nothing_aged() {
    for backend in backends().await {
        let store = backend.open().await;
        let running = with_a_refused_kind(&store).await;
        settle(&store, &running[0], delivered(), at(22)).await;
        settle(&store, &running[1], super::retry(at(23), super::Effect::None), at(22)).await;
        assert_eq!(claim(&store, at(23)).await.len(), 0);
        drop((store, running));

        let store = backend.open().await;
        assert_eq!(claim(&store, at(3600)).await.len(), 0);
        store.resume("lakeside", "amina", at(3601)).await.unwrap();
        let taken = claim(&store, at(3601)).await;

        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].delivery.since, at(3601));
        settle(&store, &taken[0], delivered(), at(3602)).await;
        let mut states = states(&store).await;
        states.sort_by_key(|it| *it as i64);
        assert_eq!(states, [DeliveryState::Delivered, DeliveryState::Delivered, DeliveryState::Dead]);
    }
}

#[tokio::test]
async fn another_offer_of_the_server_lifts_it_and_the_same_does_not() {
    for (store, _backend) in ledgers().await {
        with_a_refused_kind(&store).await;
        let referral = at_clinic(&store, "lakeside", 4).await;
        owe(&store, referral, "4", "2").await;
        assert_eq!(claim(&store, at(30)).await.len(), 0);

        assert!(!store.offered("lakeside", "one", at(31)).await.unwrap(), "the first look");
        assert!(!store.offered("lakeside", "one", at(32)).await.unwrap());
        assert_eq!(claim(&store, at(33)).await.len(), 0);
        assert!(store.offered("lakeside", "another", at(34)).await.unwrap());

        assert_eq!(claim(&store, at(34)).await.len(), 1);
        assert!(
            !store.offered("lakeside", "a third", at(35)).await.unwrap(),
            "nothing is suspended any more"
        );
    }
}

#[tokio::test]
async fn what_may_have_taken_effect_is_still_looked_for() {
    for (store, _backend) in ledgers().await {
        let running = with_a_refused_kind(&store).await;
        settle(&store, &running[0], super::retry(at(25), super::Effect::Unknown), at(22)).await;
        settle(&store, &running[1], delivered(), at(22)).await;

        let taken = claim(&store, at(30)).await;

        assert_eq!(taken.len(), 1);
        assert!(taken[0].delivery.effect_unknown);
    }
}
