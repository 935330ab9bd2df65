//! One settings file: its values, and where each of them stands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::environment::{Environment, NotFilled, fill_in};
use super::key::Key;
use super::mask;
use super::problem::Place;

/// A settings file that is TOML.
pub(crate) struct Document {
    /// The file, as reached from the working directory.
    pub(crate) file: PathBuf,
    text: String,
    spots: BTreeMap<Key, Spot>,
    masked: Vec<Range<usize>>,
}

/// The values of a file, as JSON.
pub(crate) struct Values {
    /// Everything that could be read.
    pub(crate) json: Value,
    /// Texts with a `${…}` that cannot be filled in; `json` has them as they are written.
    pub(crate) not_filled: Vec<(Key, NotFilled)>,
}

/// A file that is not TOML.
pub(crate) struct NotToml {
    /// What the parser expected.
    pub(crate) message: String,
    /// Where.
    pub(crate) place: Place,
}

/// Which part of a setting is meant.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Its name.
    Name,
    /// Its value.
    Value,
}

struct Spot {
    name: Range<usize>,
    value: Range<usize>,
}

impl Spot {
    /// What to hide of a secret. The value of a table with a header is that header, which is none.
    fn secret(&self) -> Option<Range<usize>> {
        (self.value.start >= self.name.end).then(|| self.value.clone())
    }
}

impl Document {
    /// Reads TOML and fills in variables.
    pub(crate) fn parse(
        file: PathBuf,
        text: String,
        environment: &dyn Environment,
    ) -> Result<(Self, Values), NotToml> {
        let mut reader = Reader { environment, spots: BTreeMap::new(), not_filled: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(&text);
        // What comes after the first error is often only its consequence.
        let first = errors.iter().min_by_key(|error| error.span().map_or(0, |span| span.start));
        if let Some(error) = first {
            return Err(not_toml(&text, error));
        }
        let json = reader.table(&Key::default(), table.get_ref());
        let secrets = reader.spots.iter().filter(|(key, _)| mask::is_secret(key.name()));
        let masked = secrets.filter_map(|(_, spot)| spot.secret()).collect();
        let Reader { spots, not_filled, .. } = reader;
        Ok((Self { file, text, spots, masked }, Values { json, not_filled }))
    }

    /// Where a setting stands; where it is missing, where the table around it begins.
    pub(crate) fn place(&self, key: &Key, part: Part) -> Place {
        let span = match (self.spots.get(key), part) {
            (Some(spot), Part::Name) => spot.name.clone(),
            (Some(spot), Part::Value) => spot.value.clone(),
            (None, _) => self.place_around(key),
        };
        place_in(&self.text, &span, &self.masked)
    }

    /// Hides a value that should not be shown, such as that of a misspelt key.
    pub(crate) fn mask(&mut self, key: &Key) {
        self.masked.extend(self.spots.get(key).and_then(Spot::secret));
    }

    /// The names that stand directly inside a table.
    pub(crate) fn names_in(&self, table: &Key) -> Vec<String> {
        let inside = self.spots.keys().filter(|key| key.parent().as_ref() == Some(table));
        inside.map(|key| key.name().to_owned()).collect()
    }

    fn place_around(&self, key: &Key) -> Range<usize> {
        let mut around = key.parent();
        while let Some(table) = around {
            if let Some(spot) = self.spots.get(&table) {
                return spot.name.clone();
            }
            around = table.parent();
        }
        0..0
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> NotToml {
    let span = error.span().unwrap_or(text.len()..text.len());
    let place = place_in(text, &span, &mask::in_broken_text(text));
    NotToml { message: error.message().to_owned(), place }
}

/// The first line of a span, without what is masked.
fn place_in(text: &str, span: &Range<usize>, masked: &[Range<usize>]) -> Place {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let end = span.end.clamp(start, line_start + line.len().max(start - line_start));
    let shown = line.char_indices().map(|(offset, it)| {
        let hidden = masked.iter().any(|range| range.contains(&(line_start + offset)));
        if hidden { '*' } else { it }
    });
    Place {
        line: text[..line_start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        length: text[start..end].chars().count(),
        excerpt: shown.collect(),
    }
}

struct Reader<'e> {
    environment: &'e dyn Environment,
    spots: BTreeMap<Key, Spot>,
    not_filled: Vec<(Key, NotFilled)>,
}

impl Reader<'_> {
    fn table(&mut self, at: &Key, table: &DeTable<'_>) -> Value {
        let mut object = Map::new();
        for (name, value) in table {
            let key = at.child(name.get_ref());
            self.spots.insert(key.clone(), Spot { name: name.span(), value: value.span() });
            object.insert(name.get_ref().to_string(), self.value(&key, value));
        }
        Value::Object(object)
    }

    fn array(&mut self, at: &Key, items: &[Spanned<DeValue<'_>>]) -> Value {
        let mut array = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = at.child(&index.to_string());
            self.spots.insert(key.clone(), Spot { name: item.span(), value: item.span() });
            array.push(self.value(&key, item));
        }
        Value::Array(array)
    }

    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(self.text(key, text)),
            DeValue::Table(table) => self.table(key, table),
            DeValue::Array(items) => self.array(key, items),
            DeValue::Boolean(it) => Value::Bool(*it),
            DeValue::Integer(it) => integer(it).map_or(Value::Null, Value::Number),
            // No key takes one of these, and the schema would let 5.0 pass as a whole number.
            DeValue::Float(_) | DeValue::Datetime(_) => Value::Null,
        }
    }

    fn text(&mut self, key: &Key, text: &str) -> String {
        fill_in(text, self.environment).unwrap_or_else(|reason| {
            self.not_filled.push((key.clone(), reason));
            text.to_owned()
        })
    }
}

fn integer(integer: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Number::from)
}
