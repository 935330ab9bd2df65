//! The primitive types (FHIR R4, data types), and what every element may be.

use serde_json::{Map, Value, json};

use super::super::keyword::base64;

const NUMBER_OF_32_BITS: i64 = 2_147_483_647;

/// A day, and what makes it a time of a day somewhere.
const DATE: &str = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
const TIME: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?";
const ZONE: &str = "(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))";

/// Every primitive type by its name.
pub(super) fn all() -> Map<String, Value> {
    let whole = |least: i64| json!({ "type": "integer", "minimum": least, "maximum": NUMBER_OF_32_BITS });
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add("boolean", json!({ "type": "boolean" }));
    add("integer", whole(-NUMBER_OF_32_BITS - 1));
    add("unsignedInt", whole(0));
    add("positiveInt", whole(1));
    add("decimal", json!({ "type": "number" }));
    for name in ["string", "markdown"] {
        add(name, json!({ "type": "string", "minLength": 1 }));
    }
    for (name, pattern) in patterns() {
        add(name, json!({ "type": "string", "pattern": format!("^{pattern}$") }));
    }
    // By a keyword of ours: most of a message's bytes are such, and a pattern takes ten times as long.
    add("base64Binary", json!({ "type": "string", (base64::KEYWORD): true }));
    // What is inside is checked as narrative (txt-1).
    add("xhtml", json!({ "type": "string", "pattern": "^\\s*<" }));
    all
}

fn patterns() -> [(&'static str, String); 11] {
    let uri = || "\\S+".to_owned();
    let part_of_date = "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])";
    [
        ("id", "[A-Za-z0-9.-]{1,64}".to_owned()),
        ("code", "\\S+(\\s\\S+)*".to_owned()),
        ("uri", uri()),
        ("url", uri()),
        ("canonical", uri()),
        ("oid", "urn:oid:[0-2](\\.(0|[1-9][0-9]*))+".to_owned()),
        ("uuid", "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".to_owned()),
        ("date", format!("{part_of_date})?)?")),
        ("time", TIME.to_owned()),
        ("dateTime", format!("{part_of_date}(T{TIME}{ZONE})?)?)?")),
        ("instant", format!("{DATE}T{TIME}{ZONE}")),
    ]
}
