//! A SQLite connection as the ledger's statements see it.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

use super::super::sql::{Bound, Dialect, Row, Session, SqlError, Value};

/// A connection that runs the ledger's statements.
pub(super) struct SqliteSession<'a>(pub(super) &'a Connection);

impl Session for SqliteSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn rows(&self, sql: &str, values: &[Bound<'_>]) -> Result<Vec<Row>, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(&error))?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(values)).map_err(|error| failure(&error))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(|error| failure(&error))? {
            let value = |column| row.get_ref(column).map(owned).map_err(|error| failure(&error));
            rows.push(Row((0..columns).map(value).collect::<Result<_, _>>()?));
        }
        Ok(rows)
    }

    fn change(&self, sql: &str, values: &[Bound<'_>]) -> Result<u64, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(&error))?;
        let changed = statement.execute(params_from_iter(values)).map_err(|error| failure(&error))?;
        Ok(changed as u64)
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Integer(value) => value.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Text(value) => value.map_or(ValueRef::Null, |it| ValueRef::Text(it.as_bytes())),
            Self::Bytes(value) => value.map_or(ValueRef::Null, ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        // No column of ours holds one; whoever reads it finds that it is not what it should be.
        ValueRef::Real(_) => Value::Bytes(Vec::new()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

/// SQLite's error code only: its message can quote a value.
pub(super) fn failure(error: &rusqlite::Error) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => SqlError::Conflict,
        Some(code) => SqlError::Unavailable(format!("{code:?}")),
        None => SqlError::Unexpected,
    }
}
