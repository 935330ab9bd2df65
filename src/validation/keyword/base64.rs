//! The keyword `base64`: a text of the alphabet of base64, white space allowed (FHIR R4, base64Binary).

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// How the keyword is spelled.
pub(in crate::validation) const KEYWORD: &str = "base64";

const WRONG: &str = "not base64";

/// Whether an error of a keyword is of this one.
pub(in crate::validation) fn is_wrong(message: &str) -> bool {
    message == WRONG
}

/// Builds the keyword.
#[expect(clippy::unnecessary_wraps, reason = "the signature is jsonschema's")]
pub(in crate::validation) fn compile<'a>(
    _parent: &'a Map<String, Value>,
    _schema: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Base64))
}

struct Base64;

/// Which bytes may stand in base64.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let listed = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n";
    let mut at = 0;
    while at < listed.len() {
        allowed[listed[at] as usize] = true;
        at += 1;
    }
    allowed
};

fn is_base64(value: &Value) -> bool {
    // Without an early end the loop is one that the compiler can unroll.
    let all = |text: &str| text.bytes().fold(true, |all, byte| all & ALLOWED[usize::from(byte)]);
    value.as_str().is_none_or(|it| !it.is_empty() && all(it))
}

impl<'i> Keyword<'i> for Base64 {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if is_base64(instance) { Ok(()) } else { Err(ValidationError::custom(WRONG)) }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        is_base64(instance)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_alphabet_and_white_space_are_base64() {
        assert!(is_base64(&json!("QUJD\nREVG ==")));
        assert!(!is_base64(&json!("QUJD-")) && !is_base64(&json!("")) && !is_base64(&json!("ä")));
        assert!(is_base64(&json!(5)), "the type is checked elsewhere");
    }
}
