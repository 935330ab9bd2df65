//! Taking a referral in.

use std::collections::HashSet;

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::ids::ReferralId;
use referral_gateway::model::referral::Acceptance;

use super::{accept, at, backends, ledgers, new_referral, partner};

#[tokio::test]
async fn the_same_submission_is_recorded_once() {
    for (store, _backend) in ledgers().await {
        let first = store.accept(new_referral("lakeside", &["A"], "the body")).await.unwrap();
        let second = store.accept(new_referral("lakeside", &["A"], "the body")).await.unwrap();

        let Acceptance::Recorded(id) = first else { panic!("{first:?}") };
        assert_eq!(second, Acceptance::Repeated(id));
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Queued, 1)]);
    }
}

#[tokio::test]
async fn asking_whether_a_submission_is_known_records_nothing() {
    for (store, _backend) in ledgers().await {
        let id = accept(&store, "lakeside", "A").await;

        let known = |key, body| store.known(new_referral("lakeside", key, body));
        let same = known(&["A"], "A").await.unwrap();
        let other = known(&["A"], "another body").await.unwrap();
        let new = known(&["B"], "B").await.unwrap();

        assert_eq!((same, other, new), (Some(Acceptance::Repeated(id)), Some(Acceptance::Conflict), None));
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Queued, 1)]);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict_and_records_nothing() {
    for (store, _backend) in ledgers().await {
        let id = accept(&store, "lakeside", "A").await;

        let other = store.accept(new_referral("lakeside", &["A", "B"], "another body")).await.unwrap();

        assert_eq!(other, Acceptance::Conflict);
        assert!(store.referrals_by_identifier(&partner("lakeside"), "B", 10).await.unwrap().is_empty());
        assert_eq!(store.referrals_by_identifier(&partner("lakeside"), "A", 10).await.unwrap()[0].id, id);
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Queued, 1)]);
    }
}

#[tokio::test]
async fn of_keys_that_are_taken_by_several_the_first_counts() {
    for (store, _backend) in ledgers().await {
        let first = store.accept(new_referral("lakeside", &["A"], "one body")).await.unwrap();
        store.accept(new_referral("lakeside", &["B"], "another body")).await.unwrap();

        let by_first = store.accept(new_referral("lakeside", &["A", "B"], "one body")).await.unwrap();
        let by_second = store.accept(new_referral("lakeside", &["B", "A"], "one body")).await.unwrap();

        let Acceptance::Recorded(id) = first else { panic!("{first:?}") };
        assert_eq!((by_first, by_second), (Acceptance::Repeated(id), Acceptance::Conflict));
    }
}

#[tokio::test]
async fn what_is_named_twice_in_a_submission_is_found_once() {
    for (store, _backend) in ledgers().await {
        let mut new = new_referral("lakeside", &["A"], "body");
        new.found_by.extend(new.found_by.clone());

        assert!(matches!(store.accept(new).await.unwrap(), Acceptance::Recorded(_)));

        let found = store.referrals_by_identifier(&partner("lakeside"), "A", 10).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn keys_belong_to_their_partner() {
    for (store, _backend) in ledgers().await {
        let ours = accept(&store, "lakeside", "A").await;
        let theirs = accept(&store, "northside", "A").await;

        assert_ne!(ours, theirs);
        let found = store.referrals_by_identifier(&partner("northside"), "A", 10).await.unwrap();
        assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [theirs]);
        assert_eq!(store.referrals_of(&partner("lakeside"), None, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_body_is_given_back_as_it_came() {
    for backend in backends().await {
        let body = "{\"resourceType\": \"Bundle\",   \"über\": 1.10}";
        let new = new_referral("lakeside", &["A"], body);
        let id = new.id;
        let store = backend.open().await;
        store.accept(new).await.unwrap();
        drop(store);

        let store = backend.open().await;

        assert_eq!(store.body(id).await.unwrap().unwrap().reveal(), body.as_bytes());
        assert!(store.body(ReferralId::new(at(9))).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_race_of_one_submission_records_one_referral() {
    for (store, _backend) in ledgers().await {
        let racers: Vec<_> = (0..64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.accept(new_referral("lakeside", &["A"], "body")).await })
            })
            .collect();

        let mut recorded = 0;
        let mut ids = HashSet::new();
        for racer in racers {
            match racer.await.unwrap().unwrap() {
                Acceptance::Recorded(id) => {
                    recorded += 1;
                    ids.insert(id);
                }
                Acceptance::Repeated(id) => drop(ids.insert(id)),
                Acceptance::Conflict => panic!("the bodies are the same"),
            }
        }

        assert_eq!((recorded, ids.len()), (1, 1));
        assert_eq!(store.counts().await.unwrap(), [(DeliveryState::Queued, 1)]);
    }
}

#[tokio::test]
async fn referrals_are_listed_newest_first_and_by_pages() {
    for (store, _backend) in ledgers().await {
        let mut sent = Vec::new();
        for second in 0..5 {
            let new = new_referral("lakeside", &[&second.to_string()], &second.to_string());
            let new =
                referral_gateway::model::referral::NewReferral { id: ReferralId::new(at(second)), ..new };
            sent.push(new.id);
            store.accept(new).await.unwrap();
        }

        let first = store.referrals_of(&partner("lakeside"), None, 3).await.unwrap();
        let second = store.referrals_of(&partner("lakeside"), Some(first[2].id), 3).await.unwrap();

        sent.reverse();
        let listed: Vec<ReferralId> = first.iter().chain(&second).map(|it| it.id).collect();
        assert_eq!(listed, sent);
    }
}

#[tokio::test]
async fn an_assertion_is_spent_once_for_each_client_also_after_a_restart() {
    for backend in backends().await {
        let store = backend.open().await;
        let first = store.spend("lakeside", "jti-1", at(60)).await.unwrap();
        let of_another = store.spend("northside", "jti-1", at(60)).await.unwrap();
        drop(store);

        let store = backend.open().await;
        let again = store.spend("lakeside", "jti-1", at(60)).await.unwrap();

        assert_eq!((first, of_another, again), (true, true, false));
        assert!(store.is_spent("lakeside", "jti-1").await.unwrap());
        assert!(!store.is_spent("lakeside", "jti-2").await.unwrap());
        assert!(!store.is_spent("southside", "jti-1").await.unwrap());
    }
}
