//! The least that it can cost in PostgreSQL: each connection writes the same rows into the same tables, one
//! transaction each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use referral_gateway::model::ids::{DeliveryId, EventId, ReferralId};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _, Postgres, Row as _, Transaction};
use tokio::task::JoinSet;

use super::bare::{BareReferral, TABLES, digest};
use super::conditions::Watch;
use super::figures::Run;
use super::gateway::now;

/// A database of its own.
pub(crate) struct BarePostgres {
    pool: PgPool,
    connections: usize,
    row: Arc<BareReferral>,
}

type Within = Transaction<'static, Postgres>;

impl BarePostgres {
    pub(crate) async fn new(url: &str, connections: usize, stored_bytes: usize) -> Self {
        let size = u32::try_from(connections).unwrap_or(u32::MAX);
        let pool = PgPoolOptions::new().max_connections(size).connect(url).await.expect("the server answers");
        let tables = TABLES
            .replace(") STRICT, WITHOUT ROWID;", ");")
            .replace(") STRICT;", ");")
            .replace(" INTEGER", " BIGINT")
            .replace(" BLOB", " BYTEA");
        pool.execute(sqlx::raw_sql(AssertSqlSafe(tables))).await.expect("the tables can be made");
        pool.execute("INSERT INTO endpoint VALUES ('@clinic', '')").await.expect("a row can be written");
        Self { pool, connections, row: Arc::new(BareReferral::of(stored_bytes)) }
    }

    pub(crate) async fn accept_for(&self, lasts: Duration) -> Run {
        self.accept_until(move |began: Instant, _| began.elapsed() < lasts).await
    }

    pub(crate) async fn fill(&self, count: usize) {
        let each = count.div_ceil(self.connections);
        self.accept_until(move |_, accepted| (accepted as usize) < each).await;
    }

    async fn accept_until(&self, goes_on: impl Fn(Instant, u32) -> bool + Copy + Send + 'static) -> Run {
        let watch = Watch::start();
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..self.connections {
            let (pool, row) = (self.pool.clone(), Arc::clone(&self.row));
            tasks.spawn(async move {
                let mut accepted = 0;
                while goes_on(began, accepted) {
                    let mut within = pool.begin().await.expect("a connection is free");
                    insert(&mut within, &row).await.expect("a new row can be written");
                    within.commit().await.expect("the server can commit");
                    accepted += 1;
                }
                accepted
            });
        }
        let accepted = tasks.join_all().await.into_iter().sum();
        watch.stop(accepted, 1.0)
    }

    /// Takes `at_once` in one transaction and finishes each in one of its own, over all connections.
    pub(crate) async fn work_for(&self, lasts: Duration, at_once: usize) -> Run {
        let (mut done, watch, began) = (0, Watch::start(), Instant::now());
        while began.elapsed() < lasts {
            let taken = take(&self.pool, at_once).await.expect("rows can be changed");
            if taken.is_empty() {
                break;
            }
            done += u32::try_from(taken.len()).unwrap_or(u32::MAX);
            let mut tasks = JoinSet::new();
            for some in taken.chunks(taken.len().div_ceil(self.connections)) {
                let (pool, some) = (self.pool.clone(), some.to_vec());
                tasks.spawn(async move {
                    for (delivery, lane) in &some {
                        finish(&pool, delivery, lane).await.expect("rows can be changed");
                    }
                });
            }
            tasks.join_all().await;
        }
        watch.stop(done, 1.0)
    }
}

async fn insert(within: &mut Within, sealed: &BareReferral) -> sqlx::Result<()> {
    let at = now();
    let id = ReferralId::new(at).to_string();
    let lane = format!("@clinic/{id}");
    let (ms, partner) = (at.as_millisecond(), "lakeside");
    let bytes = i64::try_from(sealed.ciphertext.len()).unwrap_or(i64::MAX);
    let payload = sqlx::query("INSERT INTO payload VALUES ($1, $2, $3, $4, $5, $6)").bind(&id);
    let payload = payload.bind("0123456789abcdef").bind(&sealed.wrapped_key[..]).bind(&sealed.ciphertext);
    payload.bind(bytes).bind(ms).execute(&mut **within).await?;
    let referral =
        "INSERT INTO referral (referral_id, partner_id, payload_id, content_mac, received_ms, updated_ms)
                    VALUES ($1, $2, $1, $3, $4, $4)";
    let referral = sqlx::query(referral).bind(&id).bind(partner).bind(digest().to_vec()).bind(ms);
    referral.execute(&mut **within).await?;
    let key = sqlx::query("INSERT INTO submission_key VALUES ($1, 3, $2, $3)").bind(partner);
    key.bind(digest().to_vec()).bind(&id).execute(&mut **within).await?;
    for _ in 0..2 {
        let found_by = sqlx::query("INSERT INTO referral_identifier VALUES ($1, $2, $3)").bind(partner);
        found_by.bind(digest().to_vec()).bind(&id).execute(&mut **within).await?;
    }
    let row = "INSERT INTO lane (lane_id, endpoint, next_seq, due_ms) VALUES ($1, '@clinic', 2, $2)";
    sqlx::query(row).bind(&lane).bind(ms).execute(&mut **within).await?;
    let delivery =
        "INSERT INTO delivery (delivery_id, lane_id, seq, endpoint, referral_id, partner_id, created_ms,
                      since_ms, due_ms) VALUES ($1, $2, 1, '@clinic', $3, $4, $5, $5, $5)";
    let delivery = sqlx::query(delivery).bind(DeliveryId::new(at).to_string()).bind(&lane);
    delivery.bind(&id).bind(partner).bind(ms).execute(&mut **within).await?;
    let event = sqlx::query("INSERT INTO event VALUES ($1, $2, 'accepted', $3, $4, NULL, '')");
    let event = event.bind(EventId::new(at).to_string()).bind(ms).bind(partner);
    event.bind(&id).execute(&mut **within).await.map(drop)
}

async fn take(pool: &PgPool, at_once: usize) -> sqlx::Result<Vec<(String, String)>> {
    let ms = now().as_millisecond();
    let mut within = pool.begin().await?;
    let due =
        "SELECT d.delivery_id, l.lane_id FROM lane l JOIN delivery d ON d.lane_id = l.lane_id AND d.seq = 1
               WHERE l.endpoint = '@clinic' AND l.tried = 0 AND l.lease_until_ms IS NULL AND l.due_ms <= $1
               ORDER BY l.due_ms LIMIT $2";
    let most = i64::try_from(at_once).unwrap_or(i64::MAX);
    let found = sqlx::query(due).bind(ms).bind(most).fetch_all(&mut *within).await?;
    let found = found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let found: Vec<(String, String)> = found.collect::<sqlx::Result<_>>()?;
    for (delivery, lane) in &found {
        let lease = "UPDATE lane SET lease_token = lease_token + 1, lease_until_ms = $2, lease_owner = 'only'
                     WHERE lane_id = $1";
        sqlx::query(lease).bind(lane).bind(ms + 300_000).execute(&mut *within).await?;
        let begun = sqlx::query("UPDATE delivery SET state = 1 WHERE delivery_id = $1").bind(delivery);
        begun.execute(&mut *within).await?;
        let attempt = "INSERT INTO attempt (delivery_id, number, started_ms) VALUES ($1, 1, $2)";
        sqlx::query(attempt).bind(delivery).bind(ms).execute(&mut *within).await?;
    }
    within.commit().await?;
    Ok(found)
}

/// What is known of the server is left alone: one row that all change would be the limit, not the database.
async fn finish(pool: &PgPool, delivery: &str, lane: &str) -> sqlx::Result<()> {
    let ms = now().as_millisecond();
    let mut within = pool.begin().await?;
    let lease = "UPDATE lane SET lease_until_ms = NULL, lease_owner = NULL, due_ms = NULL WHERE lane_id = $1";
    sqlx::query(lease).bind(lane).execute(&mut *within).await?;
    let done = "UPDATE delivery SET state = 5, remote_reference = 'Task/8', remote_etag = 'W/\"1\"',
                  sent_sha256 = $2, done_ms = $3 WHERE delivery_id = $1";
    sqlx::query(done).bind(delivery).bind("0".repeat(64)).bind(ms).execute(&mut *within).await?;
    let attempt = "UPDATE attempt SET ended_ms = $2, outcome = 'delivered', decision = 'permit a-rule',
                     consents = 'Consent/3/_history/1' WHERE delivery_id = $1 AND number = 1";
    sqlx::query(attempt).bind(delivery).bind(ms).execute(&mut *within).await?;
    within.commit().await
}
