//! What partners send about referrals that the ledger has.

use referral_gateway::model::delivery::{CLINIC, DeliveryState, Owed};
use referral_gateway::model::ids::{ReferralId, ReplyId};
use referral_gateway::model::referral::{KeyScope, SubmissionKey};
use referral_gateway::model::reply::{NewReply, ReplyAcceptance, ReplyKind};
use referral_gateway::model::retention::Retention;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::Settlement;
use referral_gateway::store::seal::{GatewayKey, KeyRing};

use super::{accept, at, at_clinic, claim, ledgers, partner, settle};

fn new_reply(referral: ReferralId, key: &str, content: &str) -> NewReply {
    NewReply {
        id: ReplyId::new(at(20)),
        referral,
        partner: partner("lakeside"),
        kind: ReplyKind::Communication,
        keys: vec![SubmissionKey { scope: KeyScope::Identifier, value: Sensitive::new(key.to_owned()) }],
        body: Sensitive::new(content.as_bytes().to_vec()),
        canonical: Sensitive::new(content.as_bytes().to_vec()),
        received: at(20),
    }
}

#[tokio::test]
async fn a_reply_is_owed_to_the_clinic_after_its_referral() {
    for (store, _backend) in ledgers().await {
        let referral = accept(&store, "lakeside", "order-1").await;
        let new = new_reply(referral, "m-1", "one");

        let accepted = store.accept_reply(new.clone()).await.unwrap();
        let first = claim(&store, at(21)).await;

        assert_eq!(accepted, ReplyAcceptance::Recorded(new.id));
        assert_eq!(first.len(), 1, "one at a time in a lane");
        assert_eq!(first[0].delivery.task, Owed::Forward);
        settle(&store, &first[0], Settlement::Forwarded(super::record(1)), at(22)).await;
        let second = claim(&store, at(23)).await.remove(0);
        assert_eq!(second.delivery.task, Owed::Reply(new.id, ReplyKind::Communication));
        assert_eq!(second.delivery.endpoint(), CLINIC);
        let written = Settlement::Written { at_clinic: Some("Communication/5".to_owned()), remark: None };
        settle(&store, &second, written, at(24)).await;
        let reply = store.reply(new.id).await.unwrap().unwrap();
        assert_eq!((reply.at_clinic.as_deref(), reply.stopped), (Some("Communication/5"), false));
        assert_eq!(store.replies(referral).await.unwrap(), [reply]);
        assert!(claim(&store, at(25)).await.is_empty());
    }
}

#[tokio::test]
async fn the_same_reply_is_recorded_once_and_its_name_stands_for_no_other() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        let other = at_clinic(&store, "lakeside", 2).await;
        let first = new_reply(referral, "m-1", "one");
        store.accept_reply(first.clone()).await.unwrap();

        for (new, expected) in [
            (new_reply(referral, "m-1", "one"), ReplyAcceptance::Repeated(first.id)),
            (new_reply(referral, "m-1", "two"), ReplyAcceptance::Conflict),
            (new_reply(other, "m-1", "one"), ReplyAcceptance::Conflict),
        ] {
            assert_eq!(store.known_reply(new.clone()).await.unwrap(), Some(expected));
            assert_eq!(store.accept_reply(new).await.unwrap(), expected);
        }
        assert_eq!(store.known_reply(new_reply(referral, "m-2", "one")).await.unwrap(), None);
        assert_eq!(store.replies(referral).await.unwrap().len(), 1);
        assert!(store.replies(other).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_reply_that_needs_a_person_says_so() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        let new = new_reply(referral, "m-1", "one");
        store.accept_reply(new.clone()).await.unwrap();

        let lease = claim(&store, at(21)).await.remove(0);
        settle(&store, &lease, Settlement::Dead(super::cause()), at(22)).await;

        assert!(store.reply(new.id).await.unwrap().unwrap().stopped);
    }
}

#[tokio::test]
async fn a_replys_body_is_read_back_also_under_a_new_key_until_it_is_purged_with_its_referral() {
    for (store, backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        let new = new_reply(referral, "m-1", "one");
        store.accept_reply(new.clone()).await.unwrap();
        drop(store);
        let keys = KeyRing { current: GatewayKey::new([8; 32]), former: vec![GatewayKey::new([7; 32])] };
        let store = backend.open_with(&keys).await.unwrap();
        while store.seal_anew().await.unwrap() > 0 {}
        drop(store);
        let store = backend.open_with(&KeyRing::of(GatewayKey::new([8; 32]))).await.unwrap();
        let body = |it: Option<Sensitive<Vec<u8>>>| it.map(|it| it.reveal().clone());
        assert_eq!(body(store.reply_body(new.id).await.unwrap()), Some(b"one".to_vec()));
        let day = std::time::Duration::from_hours(24);
        let retention = Retention { payloads: day, attempts: day, trail: day * 999 };

        store.purge(retention, at(2 * 86_400)).await.unwrap();
        let kept = body(store.reply_body(new.id).await.unwrap());
        let lease = claim(&store, at(2 * 86_400)).await.remove(0);
        settle(&store, &lease, Settlement::Written { at_clinic: None, remark: None }, at(2 * 86_400)).await;
        store.purge(retention, at(4 * 86_400)).await.unwrap();

        assert_eq!(kept, Some(b"one".to_vec()), "while it is owed");
        assert_eq!(body(store.reply_body(new.id).await.unwrap()), None);
        assert_eq!(
            store
                .deliveries(referral_gateway::store::DeliveryFilter {
                    states: vec![DeliveryState::Delivered],
                    limit: 10,
                    ..Default::default()
                })
                .await
                .unwrap()
                .len(),
            2
        );
    }
}
