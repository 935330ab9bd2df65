//! The database's time. All gateways that share a ledger have it in common, so that none of them takes another's
//! lease for ended because its own clock is wrong.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgPool;

use super::OpenError;
use crate::model::clock::Clock;

/// How often the database is asked. Between, the machine's monotonic clock carries on, which does not jump.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Tells the database's time.
#[derive(Clone, Debug)]
pub struct DatabaseClock(Arc<Mutex<Reading>>);

/// What the database said, and when by the monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Reading {
    said: Timestamp,
    at: Instant,
}

impl DatabaseClock {
    /// Asks the database now, and again while the clock is in use.
    pub(super) async fn start(pool: PgPool) -> Result<Self, OpenError> {
        let clock = Self(Arc::new(Mutex::new(ask(&pool).await?)));
        let reading = Arc::downgrade(&clock.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(ASK_AGAIN).await;
                let Some(reading) = reading.upgrade() else {
                    return;
                };
                // While the database does not answer, the last reading carries on.
                if let Ok(fresh) = ask(&pool).await {
                    *reading.lock().expect("no holder of this lock panics") = fresh;
                }
            }
        });
        Ok(clock)
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let reading = *self.0.lock().expect("no holder of this lock panics");
        reading.said.saturating_add(reading.at.elapsed()).unwrap_or(reading.said)
    }
}

async fn ask(pool: &PgPool) -> Result<Reading, OpenError> {
    let row = sqlx::query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
        .fetch_one(pool)
        .await?;
    let said = Timestamp::from_microsecond(row.try_get(0)?).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Reading { said, at: Instant::now() })
}
