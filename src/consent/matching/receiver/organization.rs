//! An organisation is named.

use serde_json::Value;

use super::Look;
use crate::consent::matching::literal::Literal;
use crate::consent::truth::Truth;

/// How many organisations may lie between a department and the receiver.
const HIGHEST: usize = 10;

/// The receiver itself and those above it are known by name already. A department of the receiver is not the
/// receiver, but what the receiver gets, the department may see: a permit does not reach it, a deny may.
pub fn names(look: &Look<'_>, name: &str) -> Truth {
    let record = look.situation.find(name);
    match look.situation.organization.compare_name(name, record) {
        Truth::False if record.is_some_and(|it| is_department(look, it)) => look.kind.doubt(),
        compared => compared,
    }
}

/// Whether an organisation is a part of the receiver.
pub fn is_department(look: &Look<'_>, record: &Value) -> bool {
    let mut present = Some(record);
    for _ in 0..HIGHEST {
        let Some(above) = present.and_then(|it| it["partOf"]["reference"].as_str()) else {
            return false;
        };
        let Literal::Local(name) = look.situation.literal(above) else {
            return false;
        };
        // Only the receiver itself: those above it have other parts.
        if look.situation.organization.is_called(name) {
            return true;
        }
        present = look.situation.find(name);
    }
    false
}
