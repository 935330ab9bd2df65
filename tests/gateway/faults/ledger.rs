//! The ledger, read beside the gateways that use it, by a connection of the test's own.

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::world::PATIENCE;

/// Where a ledger stands.
#[derive(Clone, Debug)]
pub enum Ledger {
    Sqlite(PathBuf),
    /// The address of a database.
    Postgres(String),
}

/// The values of a row, as text.
pub type Row = Vec<Option<String>>;

impl Ledger {
    /// The rows that a query finds.
    pub fn rows(&self, query: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(file) => from_sqlite(file.clone(), query),
            Self::Postgres(url) => from_postgres(url.clone(), query.to_owned()),
        }
    }

    /// The one number that a query finds.
    pub fn number(&self, query: &str) -> i64 {
        self.rows(query)[0][0].as_deref().unwrap().parse().unwrap()
    }
}

fn from_sqlite(file: PathBuf, query: &str) -> Vec<Row> {
    let ledger = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    ledger.busy_timeout(PATIENCE).unwrap();
    let mut statement = ledger.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values = (0..columns).map(|place| {
            Ok(match row.get_ref(place)? {
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            })
        });
        values.collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// On a thread of its own: who asks may stand in a task already. A server that is just down is asked again.
fn from_postgres(url: String, query: String) -> Vec<Row> {
    let asked = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            match runtime.block_on(ask(&url, &query)) {
                Ok(rows) => return rows,
                Err(error) => assert!(Instant::now() < end, "{query}: {error}"),
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    asked.join().unwrap()
}

/// Not prepared: the values come as text then, whatever they are.
async fn ask(url: &str, query: &str) -> Result<Vec<Row>, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let found = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(query.to_owned()))).await?;
    connection.close().await?;
    let value = |row: &sqlx::postgres::PgRow, place| {
        row.try_get_raw(place).map(|it| it.as_str().ok().map(str::to_owned))
    };
    found.iter().map(|row| (0..row.len()).map(|place| value(row, place)).collect()).collect()
}
