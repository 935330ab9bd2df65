//! Which of two values comes first, where that can be told.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const DAY: usize = "2026-03-01".len();

/// Whether one date or time is not after another. Where precision or zone leave it open, it may be so
/// (FHIRPath, comparison of dates of different precision).
pub(super) fn may_precede(first: Option<&Value>, second: Option<&Value>) -> bool {
    let (Some(first), Some(second)) = (first.and_then(Value::as_str), second.and_then(Value::as_str)) else {
        return true;
    };
    match (first.parse::<Timestamp>(), second.parse::<Timestamp>()) {
        (Ok(first), Ok(second)) => first <= second,
        // A day and a time of a day in some zone: they are compared by the month, which no zone moves far.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => begins_before(first, second, DAY - "-01".len()),
        _ => begins_before(first, second, DAY),
    }
}

/// How far clocks of two machines may be apart.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// As [`may_precede`], where each was told by another machine's clock.
pub(super) fn may_precede_by_other_clock(first: Option<&Value>, second: Option<&Value>) -> bool {
    let time = |it: Option<&Value>| it.and_then(Value::as_str).and_then(|it| it.parse::<Timestamp>().ok());
    match (time(first), time(second)) {
        (Some(first), Some(second)) => first.duration_since(second) <= CLOCKS_DIFFER,
        _ => may_precede(first, second),
    }
}

fn begins_before(first: &str, second: &str, length: usize) -> bool {
    let common = first.len().min(second.len()).min(length);
    first.get(..common) <= second.get(..common)
}

/// Whether one number is not greater than another; so if either is none.
pub(super) fn may_be_below(low: &Value, high: &Value) -> bool {
    match (low.as_f64(), high.as_f64()) {
        (Some(low), Some(high)) => low <= high,
        _ => true,
    }
}

/// Whether a number is not negative; so if it is none.
pub(super) fn may_be_amount(value: Option<&Value>) -> bool {
    value.and_then(Value::as_f64).is_none_or(|it| it >= 0.0)
}
