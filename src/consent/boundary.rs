//! When the answer may change by time alone (consent S10).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::disclosure::Disclosure;
use super::period::Interval;

/// The next instant at which a period that the decision looks at begins or ends: of a Consent, of one of its
/// provisions, or of a membership or role in the directory. Also when a Consent that is dated later begins.
pub fn next(disclosure: &Disclosure<'_>) -> Option<Timestamp> {
    let zone = &disclosure.clinic.time_zone;
    let mut bounds = Vec::new();
    for consent in disclosure.consents.iter().filter(|it| it["status"] == "active") {
        collect(&consent["provision"], zone, &mut bounds);
        bounds.extend(Interval::of_date(&consent["dateTime"], zone).and_then(|it| it.from));
    }
    disclosure.directory.iter().for_each(|it| collect(it, zone, &mut bounds));
    bounds.into_iter().filter(|it| *it > disclosure.now).min()
}

fn collect(value: &Value, zone: &TimeZone, bounds: &mut Vec<Timestamp>) {
    match value {
        Value::Object(map) => {
            if let Some(interval) = map.get("period").and_then(|it| Interval::of_period(it, zone)) {
                bounds.extend(interval.from);
                bounds.extend(interval.before);
            }
            map.values().for_each(|it| collect(it, zone, bounds));
        }
        Value::Array(list) => list.iter().for_each(|it| collect(it, zone, bounds)),
        _ => {}
    }
}
