//! What the ledger's statements need of a database, and no more. The statements are written once, in
//! `ledger/`; SQLite and PostgreSQL run them.

use std::str::FromStr;

use crate::model::work::StoreError;

mod bound;

pub use bound::Bound;
pub(super) use bound::bind;

/// Which database runs a statement. Almost all SQL is the same; this is for what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One writer, so nothing ever waits for a row.
    Sqlite,
    /// Several writers, in several gateways.
    Postgres,
}

impl Dialect {
    /// Ends a query whose rows nobody else may change until the transaction ends.
    pub(super) const fn locking(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE",
        }
    }

    /// The same, leaving out what others work on.
    pub(super) const fn locking_what_is_free(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE SKIP LOCKED",
        }
    }
}

/// A transaction that runs, or a connection that reads. Parameters are written `?1`, `?2`.
pub trait Session {
    /// Which database it is.
    fn dialect(&self) -> Dialect;

    /// The rows of a query.
    fn rows(&self, sql: &str, values: &[Bound<'_>]) -> Result<Vec<Row>, SqlError>;

    /// Changes rows and tells how many.
    fn change(&self, sql: &str, values: &[Bound<'_>]) -> Result<u64, SqlError>;

    /// Runs statements of which none has to see what another did, though its rows may refer to theirs. A database
    /// that is asked over a network may be asked once for all.
    fn change_all(&self, statements: &[Statement<'_>]) -> Result<(), SqlError> {
        statements.iter().try_for_each(|it| self.change(it.sql, &it.values).map(drop))
    }

    /// Says that this change adds work, which other gateways may be told.
    fn announce_work(&self) {}
}

impl dyn Session + '_ {
    /// The first row of a query, read by `read`.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        values: &[Bound<'_>],
        read: impl FnOnce(&Row) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        self.rows(sql, values)?.first().map(read).transpose()
    }

    /// Every row of a query, read by `read`.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Bound<'_>],
        read: impl FnMut(&Row) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        self.rows(sql, values)?.iter().map(read).collect()
    }
}

/// A statement that changes rows, with its parameters.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Bound<'a>>,
}

impl<'a> Statement<'a> {
    /// A statement with these parameters.
    pub(super) fn new(sql: &'static str, values: &[Bound<'a>]) -> Self {
        Self { sql, values: values.to_vec() }
    }
}

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row of a query's answer.
#[derive(Clone, Debug)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The value in a column, counted from 0.
    pub(super) fn get<T: FromValue>(&self, column: usize) -> Result<T, SqlError> {
        self.0.get(column).and_then(T::from_value).ok_or(SqlError::Unexpected)
    }

    /// The value of a column that holds the text of something of ours.
    pub(super) fn parsed<T: FromStr>(&self, column: usize) -> Result<T, SqlError> {
        self.get::<String>(column)?.parse().map_err(|_| SqlError::Unexpected)
    }
}

/// Can be read from a stored value.
pub(super) trait FromValue: Sized {
    /// None: the value is of another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(*number) } else { None }
    }
}

macro_rules! from_integer {
    ($($type:ty),*) => {
        $(impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                i64::from_value(value).and_then(|it| it.try_into().ok())
            }
        })*
    };
}
from_integer!(u16, u32, u64, usize);

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|it| it != 0)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// Why a statement or a commit failed. Codes only: a database's own text can quote a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// The database does not answer, or is full, or damaged.
    Unavailable(String),
    /// Another transaction was in the way; the same change may succeed when it runs again.
    Conflict,
    /// A stored value that no row of ours would hold.
    Unexpected,
    /// A stored row that cannot be read.
    Damaged {
        /// The kind of row.
        what: &'static str,
        /// Its id.
        id: String,
    },
}

impl SqlError {
    /// Says which row it was that could not be read.
    pub(super) fn of_row(self, what: &'static str, id: impl FnOnce() -> String) -> Self {
        if self == Self::Unexpected { Self::Damaged { what, id: id() } } else { self }
    }
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Unavailable(code) => Self::Unavailable(code),
            SqlError::Conflict => Self::Unavailable("other transactions are in the way".to_owned()),
            SqlError::Unexpected => Self::Unavailable("a row has an unexpected shape".to_owned()),
            SqlError::Damaged { what, id } => Self::Unreadable { what, id },
        }
    }
}
