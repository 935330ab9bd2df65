//! What goes into a statement.

/// A statement's parameter. What is absent still has a type, which PostgreSQL asks for.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// A whole number, an instant in milliseconds, or 0 and 1 for no and yes.
    Integer(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
    /// Bytes.
    Bytes(Option<&'a [u8]>),
}

/// Parameters, in order.
macro_rules! bind {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::Bound::from($value)),*]
    };
}
pub(in crate::store) use bind;

impl From<i64> for Bound<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Bound<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<u16> for Bound<'_> {
    fn from(value: u16) -> Self {
        Self::Integer(Some(value.into()))
    }
}

impl From<Option<u16>> for Bound<'_> {
    fn from(value: Option<u16>) -> Self {
        Self::Integer(value.map(i64::from))
    }
}

impl From<u32> for Bound<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(Some(value.into()))
    }
}

impl From<bool> for Bound<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(Some(value.into()))
    }
}

impl From<usize> for Bound<'_> {
    fn from(value: usize) -> Self {
        Self::Integer(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<u64> for Bound<'_> {
    fn from(value: u64) -> Self {
        Self::Integer(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<Option<u64>> for Bound<'_> {
    fn from(value: Option<u64>) -> Self {
        Self::Integer(value.map(|it| i64::try_from(it).unwrap_or(i64::MAX)))
    }
}

impl From<Option<usize>> for Bound<'_> {
    fn from(value: Option<usize>) -> Self {
        Self::Integer(value.map(|it| i64::try_from(it).unwrap_or(i64::MAX)))
    }
}

impl<'a> From<&'a str> for Bound<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Bound<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Bound<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Bound<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'a> From<Option<&'a [u8]>> for Bound<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Bound<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}
