//! What the clinic did, and what partners read of it.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::ids::DeliveryId;
use referral_gateway::model::work::Settlement;
use referral_gateway::store::{Collected, Noticed, NoticedConsent};

use super::{
    at, at_clinic, claim, decision, held, ledgers, noticed, owe, owed, partner, settle, update, version,
};

#[tokio::test]
async fn an_update_is_owed_once_however_often_it_is_noticed() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        let task = || update(referral, version("Task", "1", "2"));

        let first = store.record(noticed(vec![task(), task()]), at(10)).await.unwrap();
        let again = store.record(noticed(vec![task()]), at(11)).await.unwrap();

        assert_eq!((first, again, owed(&store).await.len()), (1, 0, 1));
    }
}

#[tokio::test]
async fn our_own_write_is_not_owed() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;

        let new = owe(&store, referral, "1", "1").await;

        assert_eq!((new, owed(&store).await.len()), (0, 0));
    }
}

#[tokio::test]
async fn a_resource_is_linked_to_its_referral() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        let links = vec![("DocumentReference/4".to_owned(), referral)];
        store.record(Noticed { links, ..noticed(Vec::new()) }, at(10)).await.unwrap();

        let asked = ["Task/1", "Patient/1", "DocumentReference/4", "ServiceRequest/1", "Task/2"];
        let found = store.referrals_linked_to(asked.map(str::to_owned).to_vec()).await.unwrap();

        let linked: Vec<&str> = found.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(linked, ["Task/1", "DocumentReference/4", "ServiceRequest/1"]);
        assert!(found.iter().all(|it| it.1 == referral));
    }
}

#[tokio::test]
async fn a_new_consent_makes_held_updates_of_its_patient_due_and_a_known_one_does_not() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, held(), at(11)).await;
        let consent = |patient: &str, version: &str| Noticed {
            consents: vec![NoticedConsent { patient: patient.to_owned(), version: version.to_owned() }],
            ..noticed(Vec::new())
        };

        store.record(consent("Patient/1", "Consent/3/_history/1"), at(12)).await.unwrap();
        store.record(consent("Patient/2", "Consent/4/_history/1"), at(12)).await.unwrap();
        assert!(claim(&store, at(12)).await.is_empty());
        store.record(consent("Patient/1", "Consent/3/_history/2"), at(13)).await.unwrap();

        assert_eq!(claim(&store, at(13)).await.len(), 1);
    }
}

#[tokio::test]
async fn an_inbox_shows_of_each_resource_the_newest_version_that_is_there() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        for task_version in ["2", "3"] {
            owe(&store, referral, "1", task_version).await;
            let lease = claim(&store, at(10)).await.remove(0);
            settle(&store, &lease, Settlement::InInbox(decision("permit")), at(11)).await;
        }

        let waiting = store.inbox(&partner("lakeside"), "Task").await.unwrap();

        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].task, super::owed(&store).await.pop().unwrap().task);
        assert!(store.inbox(&partner("northside"), "Task").await.unwrap().is_empty());
        assert!(store.inbox(&partner("lakeside"), "Appointment").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn every_reading_is_on_record_and_the_first_is_the_delivery() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        owe(&store, referral, "1", "2").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, Settlement::InInbox(decision("permit")), at(11)).await;
        let id = lease.delivery.id;

        store.collected(collected(id), at(20)).await.unwrap();
        store.collected(collected(id), at(30)).await.unwrap();

        let times: Vec<_> = store.attempts(id).await.unwrap().iter().map(|it| it.started).collect();
        assert_eq!(times, [at(10), at(20), at(30)]);
        assert_eq!(store.delivery(id).await.unwrap().unwrap().state, DeliveryState::Delivered);
        assert_eq!(store.newest_released(referral, "Task").await.unwrap().unwrap().id, id);
        assert!(store.newest_released(referral, "Appointment").await.unwrap().is_none());
    }
}

fn collected(delivery: DeliveryId) -> Collected {
    Collected {
        delivery,
        decision: decision("permit"),
        sent_sha256: "00".to_owned(),
        told: None,
        records: Vec::new(),
    }
}
