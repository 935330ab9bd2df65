//! FHIR dates as instants.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::truth::Truth;

/// A stretch of time: from the first instant to the last. A missing bound is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The first instant in it.
    pub from: Option<Timestamp>,
    /// The first instant after it.
    pub before: Option<Timestamp>,
}

impl Interval {
    /// Reads a Period. None: it cannot be read, or ends before it starts. Bounds are inclusive, and a date
    /// without a time covers its whole day, month or year in the clinic's zone (FHIR R4, Period; consent S6).
    pub fn of_period(period: &Value, zone: &TimeZone) -> Option<Self> {
        let map = period.as_object()?;
        let read = |name| match map.get(name) {
            None => Some(None),
            Some(bound) => Self::of_date(bound, zone).map(Some),
        };
        let (start, end) = (read("start")?, read("end")?);
        let interval =
            Self { from: start.and_then(|it: Self| it.from), before: end.and_then(|it: Self| it.before) };
        let backwards = interval.from.zip(interval.before).is_some_and(|(from, before)| from >= before);
        (!backwards).then_some(interval)
    }

    /// What a FHIR `dateTime` or `instant` covers.
    pub fn of_date(date: &Value, zone: &TimeZone) -> Option<Self> {
        let (from, before) = instants(date.as_str()?, zone)?;
        Some(Self { from: Some(from), before: Some(before) })
    }

    /// Whether an instant lies in it.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= instant) && self.before.is_none_or(|before| instant < before)
    }

    /// Whether the other lies wholly in it.
    pub fn encloses(&self, other: &Self) -> bool {
        let begins = self.from.is_none_or(|from| other.from.is_some_and(|it| from <= it));
        let ends = self.before.is_none_or(|before| other.before.is_some_and(|it| it <= before));
        begins && ends
    }

    /// Whether they have an instant in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = |end: Option<Timestamp>, start: Option<Timestamp>| {
            end.zip(start).is_some_and(|(end, start)| end <= start)
        };
        !apart(self.before, other.from) && !apart(other.before, self.from)
    }
}

/// Whether an instant lies in an optional Period; a missing one is always.
pub fn contains(period: Option<&Value>, now: Timestamp, zone: &TimeZone) -> Truth {
    match period {
        None => Truth::True,
        Some(period) => {
            Interval::of_period(period, zone).map_or(Truth::Unknown, |it| it.contains(now).into())
        }
    }
}

/// The first instant that a FHIR `dateTime` covers and the first after it.
fn instants(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    if text.contains('T') {
        return with_time(text);
    }
    let (first, after) = days(text)?;
    let midnight = |date: Date| zone.to_timestamp(DateTime::from(date)).ok();
    Some((midnight(first)?, midnight(after)?))
}

/// The first day of a date without a time, and the first day after it.
fn days(text: &str) -> Option<(Date, Date)> {
    let (year, month) = match text.len() {
        4 => (digits(text)?, None),
        7 => (digits(text.get(..4)?)?, Some(digits(text.get(4..)?.strip_prefix('-')?)?)),
        10 => {
            let day: Date = text.parse().ok()?;
            return Some((day, day.tomorrow().ok()?));
        }
        _ => return None,
    };
    let first = Date::new(year, month.unwrap_or(1).try_into().ok()?, 1).ok()?;
    let length = if month.is_some() { 1.month() } else { 1.year() };
    Some((first, first.checked_add(length).ok()?))
}

fn digits(text: &str) -> Option<i16> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A time to the second covers that second; without a zone it means nothing certain.
fn with_time(text: &str) -> Option<(Timestamp, Timestamp)> {
    let to_the_second = text.as_bytes().get(10) == Some(&b'T') && text.as_bytes().get(16) == Some(&b':');
    if !to_the_second || text.contains('[') {
        return None;
    }
    let first: Timestamp = text.parse().ok()?;
    let length = if text.contains('.') { 1.millisecond() } else { 1.second() };
    Some((first, first.checked_add(length).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str, period: &Value) -> Truth {
        contains(Some(period), text.parse().unwrap(), &TimeZone::get("America/New_York").unwrap())
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
        assert_eq!(at("2026-12-31T12:00:00Z", &json!({ "start": "2026", "end": "2026" })), Truth::True);
        assert_eq!(contains(None, Timestamp::UNIX_EPOCH, &TimeZone::UTC), Truth::True);
    }

    #[test]
    fn what_cannot_be_read_cannot_be_told() {
        for period in [
            json!({ "end": "soon" }),
            json!({ "end": "2026-03-10T15:00:00" }),
            json!({ "end": "2026-03-10T15:00Z" }),
            json!({ "start": "2027", "end": "2026" }),
            json!([]),
        ] {
            assert_eq!(at("2026-03-10T15:00:00Z", &period), Truth::Unknown, "{period}");
        }
    }

    #[test]
    fn an_open_interval_is_enclosed_only_by_one_that_is_open_there() {
        let of = |period: Value| Interval::of_period(&period, &TimeZone::UTC).unwrap();
        let year = of(json!({ "start": "2026", "end": "2026" }));

        assert!(of(json!({ "start": "2025" })).encloses(&year));
        assert!(!year.encloses(&of(json!({ "start": "2026-02" }))));
        assert!(year.overlaps(&of(json!({ "start": "2026-12-31" }))));
        assert!(!year.overlaps(&of(json!({ "start": "2027" }))));
    }
}
