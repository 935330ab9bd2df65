//! The answer to a commit is lost: nobody may say that a referral is not recorded before it was looked for.

use std::sync::Arc;

use referral_gateway::model::ids::{PartnerId, ReferralId};
use referral_gateway::model::referral::{Acceptance, KeyScope, NewReferral, SubmissionKey};
use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::model::work::StoreError;
use referral_gateway::store::Store;
use referral_gateway::store::postgres::{PostgresOptions, PostgresStore};
use referral_gateway::store::seal::{GatewayKey, KeyRing};

use super::proxy::{End, Harm, Proxy, Towards};
use crate::support::PostgresServer;

async fn open(url: &str) -> Arc<dyn Store> {
    let url = Sensitive::new(url.to_owned());
    let options = PostgresOptions { url, connections: 3, instance: "the-gateway".to_owned() };
    Arc::new(PostgresStore::open(&options, &KeyRing::of(GatewayKey::new([7; 32]))).await.unwrap())
}

fn referral(number: &str) -> NewReferral {
    let received = "2026-03-10T15:00:00Z".parse().unwrap();
    let text = || Sensitive::new(number.to_owned());
    let bytes = || Sensitive::new(number.as_bytes().to_vec());
    NewReferral {
        id: ReferralId::new(received),
        partner: PartnerId::new("lakeside"),
        keys: vec![SubmissionKey { scope: KeyScope::Identifier, value: text() }],
        found_by: vec![text()],
        body: bytes(),
        canonical: bytes(),
        received,
    }
}

/// The ledger through a proxy that cuts each commit, and the same ledger without.
async fn cut(towards: Towards) -> Option<(Arc<dyn Store>, Proxy, Arc<dyn Store>)> {
    let server = PostgresServer::shared()?;
    let database = server.database().await;
    let directly = open(&database).await;
    let address = format!("127.0.0.1:{}", server.port);
    let proxy = Proxy::before_address(&address).await;
    let through = open(&database.replace(&address, &proxy.address())).await;
    proxy.harm(towards, Harm { at: Some((b"COMMIT", End::Reset)), ..Harm::default() });
    Some((through, proxy, directly))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referral_whose_commit_was_made_and_not_answered_is_found_by_its_key_and_taken() {
    let Some((through, _proxy, directly)) = cut(Towards::Client).await else { return };
    let new = referral("order-1");
    let id = new.id;

    let accepted = through.accept(new).await.unwrap();

    assert!(matches!(accepted, Acceptance::Recorded(it) if it == id), "{accepted:?}");
    assert!(directly.body(id).await.unwrap().is_some());
    assert_eq!(directly.figures().await.unwrap().recorded, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referral_whose_commit_never_arrived_is_not_said_to_be_recorded() {
    let Some((through, proxy, directly)) = cut(Towards::Server).await else { return };
    let new = referral("order-1");
    let id = new.id;

    let refused = through.accept(new).await;
    proxy.harm(Towards::Server, Harm::default());
    let again = through.accept(referral("order-1")).await.unwrap();

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(directly.body(id).await.unwrap().is_none());
    assert!(matches!(again, Acceptance::Recorded(_)), "{again:?}");
}
