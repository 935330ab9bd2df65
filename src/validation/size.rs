//! A limit on what is looked at: every wrong value of a message becomes an issue in memory before the list is cut.

use serde_json::Value;

use crate::fhir::outcome::{Issue, IssueKind};

/// The most JSON values in one message or resource, objects, lists and scalars counted alike.
/// An attachment is one value, whatever its size; a referral with everything has some two thousand.
pub const MAX_VALUES: usize = 100_000;

/// The issue of a message or resource that has more.
pub(super) fn check(value: &Value) -> Option<Issue> {
    exceeds(value, MAX_VALUES).then(|| {
        let text = format!("Send less at once: a message has at most {MAX_VALUES} JSON values.");
        Issue::error(IssueKind::TooLong, "SEND_MESSAGE_TOO_LARGE", text)
    })
}

fn exceeds(value: &Value, most: usize) -> bool {
    let mut count = 0;
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        count += 1;
        match value {
            Value::Array(list) => waiting.extend(list.iter().take(most)),
            Value::Object(map) => waiting.extend(map.values().take(most)),
            _ => {}
        }
        if count + waiting.len() > most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_at_every_level() {
        let value = serde_json::json!({ "a": [1, 2, { "b": "c" }] });

        assert!(!exceeds(&value, 6));
        assert!(exceeds(&value, 5));
    }
}
