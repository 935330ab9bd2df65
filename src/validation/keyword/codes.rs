//! The keyword `codes`: a code, Coding, CodeableConcept or Quantity has a code of a value set
//! (FHIR R4, terminologies, required binding).

use std::collections::HashSet;

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// How the keyword is spelled.
pub(in crate::validation) const KEYWORD: &str = "codes";

const OUTSIDE: &str = "outside ";

/// The value set that an error of this keyword is about.
pub(in crate::validation) fn outside(message: &str) -> Option<&str> {
    message.strip_prefix(OUTSIDE)
}

/// Builds the keyword from `{"valueSet": "http://…", "codes": [["system", "code"]]}`; a system of `""` is any.
#[expect(clippy::unnecessary_wraps, reason = "the signature is jsonschema's")]
pub(in crate::validation) fn compile<'a>(
    _parent: &'a Map<String, Value>,
    schema: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let pairs = schema["codes"].as_array().into_iter().flatten().map(|it| (text(&it[0]), text(&it[1])));
    Ok(Box::new(Codes { value_set: text(&schema["valueSet"]), codes: pairs.collect() }))
}

struct Codes {
    value_set: String,
    codes: HashSet<(String, String)>,
}

impl Codes {
    fn allows(&self, value: &Value) -> bool {
        match value {
            Value::String(code) => self.codes.iter().any(|(_, it)| it == code),
            Value::Object(map) => match map.get("coding").and_then(Value::as_array) {
                Some(codings) => codings.iter().any(|it| self.has(it)),
                // A concept in words alone has no code to be wrong; a required binding asks for one.
                None if map.contains_key("text") => false,
                None => map.get("code").is_none_or(|_| self.has(value)),
            },
            // The base structure says what is wrong with other forms.
            _ => true,
        }
    }

    fn has(&self, coding: &Value) -> bool {
        let text = |name: &str| coding[name].as_str().unwrap_or_default().to_owned();
        let (system, code) = (text("system"), text("code"));
        self.codes.contains(&(String::new(), code.clone())) || self.codes.contains(&(system, code))
    }

    fn error(&self) -> ValidationError<'static> {
        ValidationError::custom(format!("{OUTSIDE}{}", self.value_set))
    }
}

impl<'i> Keyword<'i> for Codes {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.allows(instance) { Ok(()) } else { Err(self.error()) }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.allows(instance)
    }
}
