//! The same on PostgreSQL, where it is installed. Its own processes' time is not in the figures of the CPU.

use std::sync::Arc;

use referral_gateway::model::sensitive::Sensitive;
use referral_gateway::store::postgres::{PostgresOptions, PostgresStore};

use super::bare_postgres::BarePostgres;
use super::bodies;
use super::figures::{Pairs, Run};
use super::gateway;
use super::{Plan, say};

#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "it is the tests' own, and they use more of it from more places"
)]
#[path = "../../tests/gateway/support/postgres.rs"]
mod server;

use server::PostgresServer;

/// So many connections settle.
const SETTLERS: usize = 16;

pub(crate) async fn measure(plan: &Plan) {
    let Some(server) = PostgresServer::start() else {
        say("\nPostgreSQL is not installed");
        return;
    };
    plan.heading("accept, PostgreSQL");
    for bytes in bodies::SIZES {
        for senders in [1, 16, 64] {
            let mut pairs = Pairs::default();
            for _ in 0..plan.rounds {
                let store = open(&server, senders).await;
                let ledger = gateway::accept_for(&store, senders, bytes, plan.lasts).await;
                drop(store);
                let bare =
                    BarePostgres::new(&server.database().await, senders, gateway::sealed_bytes(bytes)).await;
                pairs.0.push((ledger, bare.accept_for(plan.lasts).await));
            }
            say(&format!("{:>2} KiB, {senders:>2} senders: {pairs}", bytes / 1024));
        }
    }
    plan.heading("claim and finish, PostgreSQL");
    let pairs = finish(plan, &server).await;
    say(&format!("{} at once over {SETTLERS} connections: {pairs}", gateway::AT_ONCE));
}

async fn finish(plan: &Plan, server: &PostgresServer) -> Pairs {
    let enough = if plan.rounds > 1 { 5_000 } else { 500 };
    let mut pairs = Pairs::default();
    for _ in 0..plan.rounds {
        let store = open(server, SETTLERS).await;
        gateway::fill(&store, enough).await;
        let (ledger, _): (Run, u32) = gateway::work_for(&store, plan.lasts).await;
        drop(store);
        let bare = BarePostgres::new(&server.database().await, SETTLERS, gateway::sealed_bytes(1024)).await;
        bare.fill(enough).await;
        pairs.0.push((ledger, bare.work_for(plan.lasts, gateway::AT_ONCE).await));
    }
    pairs
}

/// A new ledger, with a connection for each writer and one for reading.
async fn open(server: &PostgresServer, writers: usize) -> Arc<PostgresStore> {
    let options = PostgresOptions {
        url: Sensitive::new(server.database().await),
        connections: u32::try_from(writers).unwrap_or(u32::MAX).saturating_add(1),
        instance: "bench".to_owned(),
    };
    Arc::new(PostgresStore::open(&options, &gateway::keys()).await.expect("a new ledger can be made"))
}
