//! Reading JSON that somebody else wrote.
//!
//! `serde_json` alone keeps the last of two equal keys and quotes values in its errors. Here equal keys are
//! refused, depth is limited, and an error tells a line and a column but never a value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and arrays may nest. FHIR resources stay far below it.
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not JSON that we take. Says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The bytes start with a byte order mark (RFC 8259 §8.1 forbids sending one).
    #[error("starts with a byte order mark")]
    ByteOrderMark,
    /// There are no bytes.
    #[error("is empty")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// The text breaks the grammar, or ends early.
    #[error("is not JSON at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// An object has the same key twice.
    #[error("has a key twice in one object before line {line}, column {column}")]
    DuplicateKey {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// Objects and arrays nest deeper than [`MAX_DEPTH`].
    #[error("nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Reads one JSON value.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(JsonError::ByteOrderMark);
    }
    if bytes.trim_ascii().is_empty() {
        return Err(JsonError::Empty);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::NotUtf8(error.valid_up_to()))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|error| classify(&error))?;
    deserializer.end().map_err(|error| classify(&error))?;
    Ok(value)
}

const DUPLICATE: &str = "\u{1}duplicate key";
const TOO_DEEP: &str = "\u{1}too deep";

fn classify(error: &serde_json::Error) -> JsonError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    if text.starts_with(DUPLICATE) {
        JsonError::DuplicateKey { line, column }
    } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
        JsonError::TooDeep
    } else {
        JsonError::Syntax { line, column }
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if key == NUMBER_TOKEN && map.is_empty() {
                return arbitrary_precision(&access.next_value::<String>()?);
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(DUPLICATE));
            }
            let value = access.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// How `serde_json` hands over a number whose digits it keeps (its feature `arbitrary_precision`).
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

fn arbitrary_precision<E: serde::de::Error>(digits: &str) -> Result<Value, E> {
    serde_json::from_str::<Number>(digits).map(Value::Number).map_err(|_| E::custom("not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_the_rules_is_refused_with_its_place_and_without_its_content() {
        assert_eq!(parse(b"\xEF\xBB\xBF{}"), Err(JsonError::ByteOrderMark));
        assert_eq!(parse(b"  \n"), Err(JsonError::Empty));
        assert_eq!(parse(b"{\"a\":\"\xFF\"}"), Err(JsonError::NotUtf8(6)));
        assert!(matches!(parse(b"{\"a\":1"), Err(JsonError::Syntax { line: 1, .. })));
        assert!(matches!(parse(b"{\"a\":NaN}"), Err(JsonError::Syntax { .. })));
        assert!(matches!(parse(b"{} {}"), Err(JsonError::Syntax { .. })));
        assert!(matches!(parse(b"{\"a\":{\"b\":1,\"b\":2}}"), Err(JsonError::DuplicateKey { .. })));
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(JsonError::TooDeep));
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let value = parse(b"{\"value\":1.10,\"large\":123456789012345678901234567890}").unwrap();

        assert_eq!(value.to_string(), r#"{"value":1.10,"large":123456789012345678901234567890}"#);
    }

    #[test]
    fn the_deepest_allowed_nesting_is_read() {
        let text = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));

        assert!(parse(text.as_bytes()).is_ok());
    }
}
