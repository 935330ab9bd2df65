//! A PostgreSQL connection as the ledger's statements see it. They run on a thread that may wait.

use std::cell::{Cell, RefCell};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column as _, Executor as _, Postgres, Row as _, Transaction, TypeInfo as _};
use tokio::runtime::Handle;

use super::super::sql::{Bound, Dialect, Row, Session, SqlError, Statement, Value};
use super::merged::merged;

enum Connection {
    Reading(PoolConnection<Postgres>),
    Within(Transaction<'static, Postgres>),
}

impl Connection {
    fn get(&mut self) -> &mut PgConnection {
        match self {
            Self::Reading(connection) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

/// A connection that runs the ledger's statements. A transaction that is not committed is undone.
pub(super) struct PostgresSession {
    connection: RefCell<Connection>,
    handle: Handle,
    work_added: Cell<bool>,
}

impl PostgresSession {
    pub(super) const fn reading(connection: PoolConnection<Postgres>, handle: Handle) -> Self {
        Self::of(Connection::Reading(connection), handle)
    }

    pub(super) const fn within(transaction: Transaction<'static, Postgres>, handle: Handle) -> Self {
        Self::of(Connection::Within(transaction), handle)
    }

    const fn of(connection: Connection, handle: Handle) -> Self {
        Self { connection: RefCell::new(connection), handle, work_added: Cell::new(false) }
    }

    pub(super) const fn work_was_added(&self) -> bool {
        self.work_added.get()
    }

    pub(super) fn commit(self) -> Result<(), SqlError> {
        let Connection::Within(transaction) = self.connection.into_inner() else {
            return Ok(());
        };
        self.handle.block_on(transaction.commit()).map_err(|error| failure(&error))
    }
}

impl Session for PostgresSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn rows(&self, sql: &str, values: &[Bound<'_>]) -> Result<Vec<Row>, SqlError> {
        let mut connection = self.connection.borrow_mut();
        let query = prepared(sql, values);
        let found =
            self.handle.block_on(connection.get().fetch_all(query)).map_err(|error| failure(&error))?;
        found.iter().map(owned).collect()
    }

    fn change(&self, sql: &str, values: &[Bound<'_>]) -> Result<u64, SqlError> {
        let mut connection = self.connection.borrow_mut();
        let query = prepared(sql, values);
        let done = self.handle.block_on(connection.get().execute(query)).map_err(|error| failure(&error))?;
        Ok(done.rows_affected())
    }

    /// Each statement on its way costs more than its work.
    fn change_all(&self, statements: &[Statement<'_>]) -> Result<(), SqlError> {
        if statements.is_empty() {
            return Ok(());
        }
        let (sql, values) = merged(statements);
        self.change(&sql, &values).map(drop)
    }

    fn announce_work(&self) {
        self.work_added.set(true);
    }
}

/// The ledger's statements hold no question mark but those of parameters, and no value of anybody's.
fn prepared<'a>(sql: &str, values: &[Bound<'a>]) -> Query<'a, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.replace('?', "$")));
    values.iter().fold(query, |query, value| match value {
        Bound::Integer(number) => query.bind(*number),
        Bound::Text(text) => query.bind(*text),
        Bound::Bytes(bytes) => query.bind(*bytes),
    })
}

fn owned(row: &PgRow) -> Result<Row, SqlError> {
    let values = row.columns().iter().map(|column| {
        let at = column.ordinal();
        let value = match column.type_info().name() {
            "INT8" => row.try_get::<Option<i64>, _>(at).map(|it| it.map(Value::Integer)),
            "INT4" => row.try_get::<Option<i32>, _>(at).map(|it| it.map(|it| Value::Integer(it.into()))),
            "BOOL" => row.try_get::<Option<bool>, _>(at).map(|it| it.map(|it| Value::Integer(it.into()))),
            "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(at).map(|it| it.map(Value::Bytes)),
            _ => row.try_get::<Option<String>, _>(at).map(|it| it.map(Value::Text)),
        };
        value.map(|it| it.unwrap_or(Value::Null)).map_err(|_| SqlError::Unexpected)
    });
    Ok(Row(values.collect::<Result<_, _>>()?))
}

/// PostgreSQL's code only: its message can quote a value.
pub(super) fn failure(error: &sqlx::Error) -> SqlError {
    let Some(refused) = error.as_database_error() else {
        let code = match error {
            sqlx::Error::PoolTimedOut => "no free connection".to_owned(),
            sqlx::Error::Io(error) => error.kind().to_string(),
            sqlx::Error::Tls(_) => "TLS failed".to_owned(),
            _ => "not connected".to_owned(),
        };
        return SqlError::Unavailable(code);
    };
    match refused.code().as_deref() {
        // unique_violation, serialization_failure, deadlock_detected
        Some("23505" | "40001" | "40P01") => SqlError::Conflict,
        Some("28000" | "28P01") => SqlError::Unavailable("user or password refused".to_owned()),
        Some("3D000") => SqlError::Unavailable("no such database".to_owned()),
        Some("42501") => SqlError::Unavailable("the user may not do this".to_owned()),
        Some("53300") => SqlError::Unavailable("the server has too many connections".to_owned()),
        code => SqlError::Unavailable(format!("SQLSTATE {}", code.unwrap_or("unknown"))),
    }
}
