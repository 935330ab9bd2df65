//! The ledger in PostgreSQL: what several gateways, and a server that goes away, make of it.

use std::sync::Arc;
use std::time::Duration;

use referral_gateway::model::work::StoreError;
use referral_gateway::store::Store;
use referral_gateway::store::ledger::UnlockError;
use referral_gateway::store::postgres::{OpenError, PostgresOptions, PostgresStore};
use referral_gateway::store::seal::{GatewayKey, KeyError, KeyRing};
use tokio::sync::Notify;

use super::{PLENTY, accept, at, claim, delivered, ended, keys, new_referral, options, owe, partner};
use crate::support::PostgresServer;

async fn open(options: &PostgresOptions) -> Arc<dyn Store> {
    Arc::new(PostgresStore::open(options, &keys()).await.unwrap())
}

fn named(options: &PostgresOptions, instance: &str) -> PostgresOptions {
    PostgresOptions { instance: instance.to_owned(), ..options.clone() }
}

#[tokio::test]
async fn another_key_does_not_open_the_database() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);
    drop(open(&options).await);

    let wrong = PostgresStore::open(&options, &KeyRing::of(GatewayKey::new([8; 32]))).await;

    assert!(matches!(wrong, Err(OpenError::Unlock(UnlockError::Key(KeyError::DoesNotFit)))));
}

#[tokio::test]
async fn why_a_database_cannot_be_opened_is_told_without_its_address() {
    let Some(server) = PostgresServer::shared() else { return };
    let there = server.database().await;
    let elsewhere = there.replace(&format!(":{}/", server.port), ":1/");
    let absent = format!("{}?sslmode=disable", there.split("/ledger").next().unwrap().to_owned() + "/absent");

    let told = async |url: &str| {
        let opened = PostgresStore::open(&options(url.to_owned()), &keys()).await;
        opened.err().unwrap().to_string()
    };

    assert!(told(&elsewhere).await.ends_with("connection refused"));
    assert!(told(&absent).await.ends_with("no such database"));
}

#[tokio::test]
async fn gateways_that_start_together_make_one_ledger() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);

    let (first, second) = tokio::join!(open(&options), open(&options));
    let id = accept(&first, "lakeside", "order-1").await;

    assert!(second.body(id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_stops_loses_nothing_and_is_used_again_when_it_is_back() {
    let Some(server) = PostgresServer::start() else { return };
    let store = open(&options(server.database().await)).await;
    let before = accept(&store, "lakeside", "order-1").await;

    server.stop_at_once();
    let refused = store.accept(new_referral("lakeside", &["order-2"], "order-2")).await;
    server.start_again();
    let after = accept(&store, "lakeside", "order-2").await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(store.body(before).await.unwrap().is_some());
    assert!(store.body(after).await.unwrap().is_some());
    assert_eq!(claim(&store, at(1)).await.len(), 2);
}

#[tokio::test]
async fn gateways_share_the_work_and_none_is_done_twice() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);
    let gateways = [open(&named(&options, "one")).await, open(&named(&options, "two")).await];
    for number in 0..40 {
        accept(&gateways[number % 2], "lakeside", &format!("order-{number}")).await;
    }

    let work = gateways.map(|store| {
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let leases = store.claim(at(1), Duration::from_mins(1), PLENTY).await.unwrap().leases;
                if leases.is_empty() {
                    return done;
                }
                for lease in leases {
                    store.settle(&lease, ended(delivered()), at(2)).await.unwrap();
                    done.push(lease.delivery.id);
                }
            }
        })
    });
    let mut done = Vec::new();
    for worker in work {
        done.extend(worker.await.unwrap());
    }

    assert_eq!(done.len(), 40);
    done.sort();
    done.dedup();
    assert_eq!(done.len(), 40);
}

#[tokio::test]
async fn a_restart_takes_up_its_own_work_and_leaves_that_of_others() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);
    let one = open(&named(&options, "one")).await;
    accept(&one, "lakeside", "order-1").await;
    assert_eq!(claim(&one, at(1)).await.len(), 1);
    drop(one);

    let two = open(&named(&options, "two")).await;
    assert_eq!(two.recover(at(60)).await.unwrap(), 0);
    let one = open(&named(&options, "one")).await;
    assert_eq!(one.recover(at(60)).await.unwrap(), 1);

    assert!(claim(&two, at(59)).await.is_empty());
    assert!(claim(&two, at(60)).await[0].delivery.effect_unknown);
}

#[tokio::test]
async fn a_gateway_is_told_of_work_that_another_one_recorded() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);
    let (one, two) = (open(&options).await, PostgresStore::open(&options, &keys()).await.unwrap());
    let work = Arc::new(Notify::new());
    two.listen(&work);

    // The listener may not be there yet: it is told until it hears.
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        for number in 0.. {
            accept(&one, "lakeside", &format!("order-{number}")).await;
            if tokio::time::timeout(Duration::from_millis(200), work.notified()).await.is_ok() {
                return;
            }
        }
    });

    assert!(told.await.is_ok());
}

#[tokio::test]
async fn the_databases_clock_runs_for_all() {
    let Some(server) = PostgresServer::shared() else { return };
    let store = PostgresStore::open(&options(server.database().await), &keys()).await.unwrap();

    let clock = store.clock().await.unwrap();

    let apart = referral_gateway::model::clock::Clock::now(&clock).duration_since(
        referral_gateway::model::clock::Clock::now(&referral_gateway::model::clock::SystemClock),
    );
    assert!(apart.unsigned_abs() < Duration::from_secs(2));
}

#[tokio::test]
async fn numbers_in_a_lane_are_given_in_the_order_in_which_they_become_visible() {
    let Some(server) = PostgresServer::shared() else { return };
    let options = options(server.database().await);
    let (one, two) = (open(&options).await, open(&options).await);
    let referral = super::at_clinic(&one, "lakeside", 1).await;

    let owing = (0..20).map(|version| {
        let store = if version % 2 == 0 { Arc::clone(&one) } else { Arc::clone(&two) };
        tokio::spawn(async move { owe(&store, referral, &format!("t{version}"), "1").await })
    });
    for owed in owing.collect::<Vec<_>>() {
        owed.await.unwrap();
    }

    let first = claim(&one, at(20)).await;
    assert_eq!(first.len(), 1, "one lane, one head");
    assert!(first[0].delivery.partner == partner("lakeside"));
}
