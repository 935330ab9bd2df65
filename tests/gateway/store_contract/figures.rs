//! How much stands where.

use referral_gateway::model::delivery::DeliveryState;
use referral_gateway::model::figures::{LedgerFigures, OpenGroup};
use referral_gateway::model::work::{Effect, Settlement};

use super::{accept, at, at_clinic, cause, claim, delivered, held, ledgers, owe, retry, settle};

#[tokio::test]
async fn an_empty_ledger_has_no_figures() {
    for (store, _backend) in ledgers().await {
        assert_eq!(store.figures().await.unwrap(), LedgerFigures::default());
    }
}

#[tokio::test]
async fn deliveries_are_counted_by_endpoint_state_and_reason() {
    for (store, _backend) in ledgers().await {
        let referral = at_clinic(&store, "lakeside", 1).await;
        for task in ["1", "2", "3"] {
            owe(&store, referral, task, "2").await;
        }
        accept(&store, "hillside", "A").await;
        let forward = claim(&store, at(10)).await;
        for lease in forward {
            let settlement = match lease.delivery.endpoint() {
                "@clinic" => retry(at(90), Effect::Unknown),
                _ => delivered(),
            };
            settle(&store, &lease, settlement, at(11)).await;
        }
        let lease = claim(&store, at(12)).await.remove(0);
        settle(&store, &lease, held(), at(12)).await;

        let figures = store.figures().await.unwrap();

        assert_eq!((figures.recorded, figures.conservation_gap()), (5, 0));
        let by_state = [
            (DeliveryState::Queued, 1),
            (DeliveryState::UnknownWait, 1),
            (DeliveryState::Held, 1),
            (DeliveryState::Delivered, 2),
        ];
        assert_eq!(figures.by_state, by_state);
        assert_eq!(figures.lanes, [("@clinic".to_owned(), 1), ("lakeside".to_owned(), 1)]);
        let group = |endpoint: &str, state, reason: Option<&str>, oldest, next| OpenGroup {
            endpoint: endpoint.to_owned(),
            state,
            reason: reason.map(str::to_owned),
            count: 1,
            oldest: at(oldest),
            next_attempt: Some(at(next)),
        };
        let open = [
            group("@clinic", DeliveryState::UnknownWait, Some("status"), 0, 90),
            group("lakeside", DeliveryState::Queued, None, 10, 10),
            group("lakeside", DeliveryState::Held, Some("a-rule"), 10, 300),
        ];
        assert_eq!(figures.open, open);
        assert_eq!((figures.undelivered(), figures.oldest_undelivered()), (2, Some(at(0))));
    }
}

#[tokio::test]
async fn what_needs_a_person_has_no_next_attempt() {
    for (store, _backend) in ledgers().await {
        accept(&store, "lakeside", "A").await;
        let lease = claim(&store, at(0)).await.remove(0);
        settle(&store, &lease, Settlement::Dead(cause()), at(1)).await;

        let figures = store.figures().await.unwrap();

        assert_eq!((figures.open[0].state, figures.open[0].next_attempt), (DeliveryState::Dead, None));
        assert_eq!((figures.undelivered(), figures.conservation_gap()), (0, 0));
    }
}
