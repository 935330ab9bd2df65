//! `provision.dataPeriod`: from when the data is (consent S7.7).

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::consent::answer::Kind;
use crate::consent::payload::node::Role;
use crate::consent::period::Interval;
use crate::consent::question::Question;
use crate::consent::truth::Truth;
use crate::fhir::resource;

/// A permit covers data wholly inside; a deny reaches data that overlaps. Of undated data nothing is known.
pub fn matches(question: &Question<'_>, period: &Value, kind: Kind) -> Truth {
    if question.node.role == Role::Accompanying {
        return Truth::False;
    }
    let zone = &question.situation.disclosure.clinic.time_zone;
    let Some(wanted) = Interval::of_period(period, zone) else {
        return Truth::Unknown;
    };
    let own = clinical_time(question.node.resource, zone);
    let time = own.or_else(|| question.node.container.and_then(|it| clinical_time(it, zone)));
    match (time, kind) {
        (None, kind) => kind.doubt(),
        (Some(time), Kind::Permit) => wanted.encloses(&time).into(),
        (Some(time), Kind::Deny) => wanted.overlaps(&time).into(),
    }
}

/// The elements that say from when a resource's content is; the first that is present counts.
fn elements(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "Observation" | "DiagnosticReport" => {
            &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"]
        }
        "Composition" => &["date"],
        "DocumentReference" => &["context.period", "date"],
        "Communication" => &["sent", "received"],
        "Task" => &["executionPeriod", "lastModified", "authoredOn"],
        "CarePlan" => &["period", "created"],
        "Encounter" => &["period"],
        "Condition" => &["onsetDateTime", "onsetPeriod", "recordedDate"],
        "Procedure" => &["performedDateTime", "performedPeriod"],
        "MedicationRequest" | "ServiceRequest" => &["authoredOn"],
        _ => &[
            "effectiveDateTime",
            "effectivePeriod",
            "period",
            "date",
            "authoredOn",
            "authored",
            "recordedDate",
            "created",
        ],
    }
}

fn clinical_time(resource: &Value, zone: &TimeZone) -> Option<Interval> {
    let resource_type = resource::resource_type(resource);
    if resource_type == "Appointment" {
        let (start, end) = (resource.get("start")?, resource.get("end").or_else(|| resource.get("start"))?);
        return Interval::of_period(&json!({ "start": start, "end": end }), zone);
    }
    let at = |path: &str| path.split('.').try_fold(resource, |value, name| value.get(name));
    let value = elements(resource_type).iter().find_map(|path| at(path))?;
    if value.is_object() { Interval::of_period(value, zone) } else { Interval::of_date(value, zone) }
}
