//! Opening the database: is it one that keeps what it says, and which layout has it.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::super::ledger::UnlockError;
use super::super::migrations::{self, LayoutError};
use super::session::failure;
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Its address, usually with a password in it: `postgres://name:password@host/database`.
    pub url: Sensitive<String>,
    /// How many connections this gateway uses at most.
    pub connections: u32,
    /// Names this gateway among those that share the ledger. What an earlier gateway of the same name had
    /// begun is taken up at once after a start; what others had begun, when their leases run out.
    pub instance: String,
}

/// Why the ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read.
    #[error(
        "the address of the PostgreSQL database cannot be read; it looks like postgres://name@host/database"
    )]
    Address,
    /// The database does not answer, or refuses.
    #[error("the PostgreSQL database cannot be opened: {0}")]
    Database(StoreError),
    /// It may forget what it has confirmed.
    #[error("the PostgreSQL database may lose what it has confirmed: {0}; set {1}")]
    NotDurable(&'static str, &'static str),
    /// Another version of the gateway made the ledger.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The key does not fit, or what is in the database cannot be used.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(failure(&error).into())
    }
}

/// How long we wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn for_writing(options: &PostgresOptions) -> Result<PgPool, OpenError> {
    let pool = connect(options).await?;
    check_durable(&pool).await?;
    migrate(&pool).await?;
    Ok(pool)
}

pub(super) async fn for_reading(options: &PostgresOptions) -> Result<PgPool, OpenError> {
    let pool = connect(options).await?;
    migrations::done(layout(&pool).await?)?;
    Ok(pool)
}

pub(super) async fn has_ledger(options: &PostgresOptions) -> Result<bool, OpenError> {
    Ok(layout(&connect(options).await?).await? > 0)
}

async fn connect(options: &PostgresOptions) -> Result<PgPool, OpenError> {
    let address = PgConnectOptions::from_str(options.url.reveal()).map_err(|_| OpenError::Address)?;
    let address = address.application_name("referral-gateway").statement_cache_capacity(256);
    // A pool would tell only that it has no connection, and not why.
    PgConnection::connect_with(&address).await?.close().await?;
    let pool = PgPoolOptions::new().max_connections(options.connections.max(2)).acquire_timeout(CONNECT_WAIT);
    Ok(pool.connect_with(address).await?)
}

/// An acknowledgement is worth as much as the database's own.
async fn check_durable(pool: &PgPool) -> Result<(), OpenError> {
    for (setting, wrong, remedy) in [
        ("fsync", "fsync is off", "fsync = on"),
        ("synchronous_commit", "synchronous_commit is off", "synchronous_commit = on"),
    ] {
        // A compatible engine that has no such setting has no such way to lose anything.
        let found = sqlx::query(AssertSqlSafe(format!("SHOW {setting}"))).fetch_one(pool).await;
        if found.is_ok_and(|row| row.try_get::<String, _>(0).is_ok_and(|it| it == "off")) {
            return Err(OpenError::NotDurable(wrong, remedy));
        }
    }
    let read_only = sqlx::query("SHOW transaction_read_only").fetch_one(pool).await;
    if read_only.is_ok_and(|row| row.try_get::<String, _>(0).is_ok_and(|it| it == "on")) {
        return Err(OpenError::NotDurable("it is a replica or read-only", "the address of the primary"));
    }
    Ok(())
}

async fn layout(pool: &PgPool) -> Result<i64, OpenError> {
    let found = sqlx::query("SELECT 1 FROM information_schema.tables WHERE table_name = 'layout' AND table_schema = current_schema()")
        .fetch_optional(pool)
        .await?;
    if found.is_none() {
        return Ok(0);
    }
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) FROM layout").fetch_one(pool).await?;
    Ok(row.try_get(0)?)
}

/// Whoever comes first makes the tables; others wait at its row in `layout` and find them made.
async fn migrate(pool: &PgPool) -> Result<(), OpenError> {
    for (number, migration) in migrations::after(migrations::done(layout(pool).await?)?) {
        let tables = sqlx::query("CREATE TABLE IF NOT EXISTS layout (number BIGINT PRIMARY KEY)");
        // Two that make it at once can fail each other; then it is there.
        if let Err(error) = pool.execute(tables).await {
            layout(pool).await.map_err(|_| OpenError::from(error))?;
        }
        let mut transaction = pool.begin().await?;
        let mine = sqlx::query("INSERT INTO layout (number) VALUES ($1) ON CONFLICT (number) DO NOTHING")
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        if mine.rows_affected() == 1 {
            transaction.execute(sqlx::raw_sql(AssertSqlSafe(adapted(migration)))).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// The tables are written for SQLite; the differences are few.
fn adapted(migration: &str) -> String {
    migration
        .replace(") STRICT, WITHOUT ROWID;", ");")
        .replace(") STRICT;", ");")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
}
