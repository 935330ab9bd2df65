//! Whether an instant lies in a FHIR Period.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde_json::Value;

/// Three-valued truth: what cannot be told is neither true nor false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Certainly.
    True,
    /// Certainly not.
    False,
    /// It cannot be told.
    Unknown,
}

/// Whether `now` lies in a Period. Bounds are inclusive, a missing bound is open, and a date without a time
/// covers its whole day, month or year in the clinic's zone (FHIR R4, Period; consent S6).
pub fn contains(period: &Value, now: Timestamp, zone: &TimeZone) -> Truth {
    let bounds = match period {
        Value::Null => return Truth::True,
        Value::Object(map) => [map.get("start"), map.get("end")],
        _ => return Truth::Unknown,
    };
    let read = bounds.map(|bound| bound.map(|it| it.as_str().and_then(|text| instants(text, zone))));
    let [Some(start), Some(end)] = read.map(|bound| match bound {
        None => Some(None),
        Some(Some(range)) => Some(Some(range)),
        Some(None) => None,
    }) else {
        return Truth::Unknown;
    };
    if let (Some((from, _)), Some((_, before))) = (start, end)
        && from >= before
    {
        return Truth::Unknown;
    }
    let begun = start.is_none_or(|(from, _)| from <= now);
    let lasts = end.is_none_or(|(_, before)| now < before);
    if begun && lasts { Truth::True } else { Truth::False }
}

/// The first instant that a FHIR `dateTime` covers and the first after it.
fn instants(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    if text.contains('T') {
        return with_time(text);
    }
    let (first, length): (Date, Span) = match text.len() {
        4 => (format!("{text}-01-01").parse().ok()?, 1.year()),
        7 => (format!("{text}-01").parse().ok()?, 1.month()),
        10 => (text.parse().ok()?, 1.day()),
        _ => return None,
    };
    let midnight = |date: Date| zone.to_timestamp(DateTime::from(date)).ok();
    Some((midnight(first)?, midnight(first.checked_add(length).ok()?)?))
}

/// A time to the second covers that second; without a zone it means nothing certain.
fn with_time(text: &str) -> Option<(Timestamp, Timestamp)> {
    let first: Timestamp = text.parse().ok()?;
    let length = if text.contains('.') { 1.millisecond() } else { 1.second() };
    Some((first, first.checked_add(length).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str, period: &Value) -> Truth {
        contains(period, text.parse().unwrap(), &TimeZone::get("America/New_York").unwrap())
    }

    #[test]
    fn a_date_covers_its_whole_day_in_the_clinics_zone() {
        let period = json!({ "end": "2026-03-10" });

        assert_eq!(at("2026-03-11T03:59:59Z", &period), Truth::True);
        assert_eq!(at("2026-03-11T04:00:00Z", &period), Truth::False);
    }

    #[test]
    fn bounds_are_inclusive_and_missing_ones_open() {
        assert_eq!(at("2026-03-10T15:00:00Z", &json!({ "start": "2026-03-10T15:00:00Z" })), Truth::True);
        assert_eq!(at("2026-03-10T14:59:59Z", &json!({ "start": "2026-03-10T15:00:00Z" })), Truth::False);
        assert_eq!(at("2026-03-10T15:00:00Z", &Value::Null), Truth::True);
        assert_eq!(at("2026-12-31T12:00:00Z", &json!({ "start": "2026", "end": "2026" })), Truth::True);
    }

    #[test]
    fn what_cannot_be_read_cannot_be_told() {
        for period in [
            json!({ "end": "soon" }),
            json!({ "end": "2026-03-10T15:00:00" }),
            json!({ "start": "2027", "end": "2026" }),
            json!([]),
        ] {
            assert_eq!(at("2026-03-10T15:00:00Z", &period), Truth::Unknown, "{period}");
        }
    }
}
