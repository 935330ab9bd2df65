//! How far the clinic was read.

use referral_gateway::model::work::Settlement;
use referral_gateway::store::Noticed;

use super::{accept, at, at_clinic, claim, ledgers, noticed, record, settle};

#[tokio::test]
async fn a_cursor_is_kept_for_each_feed() {
    for (store, _backend) in ledgers().await {
        store.record(noticed(Vec::new()), at(10)).await.unwrap();

        assert_eq!(store.read_up_to("Task").await.unwrap(), Some(at(10)));
        assert_eq!(store.read_up_to("Appointment").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_referral_that_reaches_the_clinic_turns_every_cursor_back_to_that_moment() {
    for (store, _backend) in ledgers().await {
        for source in ["Task", "Appointment"] {
            store.record(Noticed { source, ..noticed(Vec::new()) }, at(10)).await.unwrap();
        }

        at_clinic(&store, "lakeside", 1).await;

        assert_eq!(store.read_up_to("Task").await.unwrap(), Some(at(1)));
        assert_eq!(store.read_up_to("Appointment").await.unwrap(), Some(at(1)));
    }
}

#[tokio::test]
async fn a_look_that_began_before_does_not_move_a_cursor_over_what_it_was_turned_back_to() {
    for (store, _backend) in ledgers().await {
        store.record(noticed(Vec::new()), at(10)).await.unwrap();
        accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(10)).await.remove(0);
        settle(&store, &lease, Settlement::Forwarded(record(1)), at(11)).await;

        let late = Noticed { read_from: Some(at(10)), read_up_to: at(20), ..noticed(Vec::new()) };
        store.record(late, at(20)).await.unwrap();
        assert_eq!(store.read_up_to("Task").await.unwrap(), Some(at(1)));
        let next = Noticed { read_from: Some(at(1)), read_up_to: at(20), ..noticed(Vec::new()) };
        store.record(next, at(21)).await.unwrap();

        assert_eq!(store.read_up_to("Task").await.unwrap(), Some(at(20)));
    }
}

#[tokio::test]
async fn a_feed_that_is_read_for_the_first_time_begins_no_later_than_the_first_referral() {
    for (store, _backend) in ledgers().await {
        at_clinic(&store, "lakeside", 1).await;

        store.record(noticed(Vec::new()), at(10)).await.unwrap();

        assert_eq!(store.read_up_to("Task").await.unwrap(), Some(at(1)));
    }
}
