//! What is known of a delivery between its attempts, also after a restart.

use referral_gateway::model::endpoint::AttemptEnd;
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::{Ended, Lease, Settled, Settlement};

use super::{Arc, Cause, Effect, Store, accept, at, backends, claim, settle};

fn told_at(address: &str, second: i64) -> Settlement {
    Settlement::Retry {
        cause: Cause { code: "accepted-only", http_status: None },
        at: at(second),
        counted: true,
        placed: None,
        told_at: Some(Sensitive::new(address.to_owned())),
        effect: Effect::Unknown,
    }
}

async fn fail(store: &Arc<dyn Store>, lease: &Lease, status: u16, second: i64) {
    let cause = Cause { code: "status", http_status: Some(status) };
    let settlement = Settlement::Retry {
        cause,
        at: at(second),
        counted: true,
        placed: None,
        told_at: None,
        effect: Effect::Unknown,
    };
    let ended = Ended { settlement, end: AttemptEnd::Failed, random: 0.5 };
    assert_eq!(store.settle(lease, ended, at(second)).await.unwrap(), Settled::Recorded(None));
}

#[tokio::test]
async fn where_a_server_tells_what_became_of_it_is_kept_until_something_else_is_known() {
    const ADDRESS: &str = "https://lakeside.example/jobs/Testina-Canary";
    for backend in backends().await {
        let store = backend.open().await;
        accept(&store, "lakeside", "order-1").await;
        let lease = claim(&store, at(0)).await.remove(0);
        assert_eq!(lease.delivery.told_at, None);
        settle(&store, &lease, told_at(ADDRESS, 10), at(1)).await;
        drop(store);

        let store = backend.open().await;
        let lease = claim(&store, at(10)).await.remove(0);
        assert_eq!(lease.delivery.told_at, Some(Sensitive::new(ADDRESS.to_owned())));
        settle(&store, &lease, super::retry(at(20), Effect::Unknown), at(11)).await;

        assert_eq!(claim(&store, at(20)).await[0].delivery.told_at, None);
    }
}

#[tokio::test]
async fn server_errors_in_a_row_are_counted_over_a_restart_and_another_end_forgets_them() {
    for backend in backends().await {
        let store = backend.open().await;
        accept(&store, "lakeside", "order-1").await;
        for second in [0, 10] {
            let lease = claim(&store, at(second)).await.remove(0);
            fail(&store, &lease, 500, second + 10).await;
        }
        drop(store);

        let store = backend.open().await;
        let lease = claim(&store, at(20)).await.remove(0);
        assert_eq!((lease.delivery.server_errors, lease.delivery.server_errors_since), (2, Some(at(10))));
        fail(&store, &lease, 503, 30).await;

        let lease = claim(&store, at(30)).await.remove(0);
        assert_eq!((lease.delivery.server_errors, lease.delivery.server_errors_since), (0, None));
    }
}
