//! The keyword `invariants`: what must hold among the elements of one object, by FHIR's keys.

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

use crate::validation::invariant::{self, Invariant};

/// How the keyword is spelled.
pub(in crate::validation) const KEYWORD: &str = "invariants";

/// What stands before the key in the message of an error of this keyword.
const BROKEN: &str = "broken ";

/// The invariant that an error of this keyword is about.
pub(in crate::validation) fn broken(message: &str) -> Option<&'static Invariant> {
    invariant::by_key(message.strip_prefix(BROKEN)?)
}

/// Builds the keyword from a list of keys. A key that we do not check is passed over.
#[expect(clippy::unnecessary_wraps, reason = "the signature is jsonschema's")]
pub(in crate::validation) fn compile<'a>(
    _parent: &'a Map<String, Value>,
    schema: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let keys = schema.as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(Box::new(Invariants(keys.filter_map(invariant::by_key).collect())))
}

struct Invariants(Vec<&'static Invariant>);

impl Invariants {
    fn broken(&self, instance: &Value) -> impl Iterator<Item = &'static Invariant> {
        let object = instance.as_object();
        self.0.iter().copied().filter(move |it| object.is_some_and(|object| !(it.holds)(object)))
    }
}

fn error(invariant: &Invariant) -> ValidationError<'static> {
    ValidationError::custom(format!("{BROKEN}{}", invariant.key))
}

impl<'i> Keyword<'i> for Invariants {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.broken(instance).next().map_or(Ok(()), |it| Err(error(it)))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.broken(instance).next().is_none()
    }

    fn iter_errors(&self, instance: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        let errors: Vec<_> = self.broken(instance).map(error).collect();
        Box::new(errors.into_iter())
    }
}
