//! What a conversion must keep.

mod cases;
mod generated;
mod maps;
mod round_trips;

use serde_json::Value;

use super::table::{Shape, Table, is_primitive};
use super::*;

/// The versions that are not R4.
const OTHERS: [FhirVersion; 3] = [FhirVersion::Stu3, FhirVersion::R4b, FhirVersion::R5];

/// The sums are right, and nothing is gone without a reason.
fn assert_accounted(converted: &Converted) {
    let counts = converted.report.counts();
    assert_eq!(counts.all, counts.carried + counts.mapped + counts.kept + counts.dropped);
    let lost: Vec<&Passage> =
        converted.report.passages.iter().filter(|it| it.fate == Fate::Dropped(report::UNACCOUNTED)).collect();
    assert_eq!(lost, Vec::<&Passage>::new());
}

/// What a resource has that its version does not know.
fn unknown_elements(value: &Value, version: FhirVersion) -> Vec<String> {
    let mut found = Vec::new();
    look(value, Table::of(version), "Resource", &mut found);
    found
}

fn look(value: &Value, table: &Table, path: &str, found: &mut Vec<String>) {
    let path = if path == "Resource" { resource::resource_type(value) } else { path };
    for (name, member) in value.as_object().into_iter().flatten() {
        let plain = name.strip_prefix('_').unwrap_or(name);
        let Some(known) = table.find(path, plain) else {
            found.push(format!("{path}.{name}"));
            continue;
        };
        let is_list = member.is_array();
        if is_list != known.element.repeats {
            found.push(format!("{path}.{name} is {}a list", if is_list { "" } else { "not " }));
        }
        let items = member.as_array().map_or_else(|| vec![member], |it| it.iter().collect());
        for item in items.into_iter().filter(|it| !it.is_null()) {
            let kind = if name.starts_with('_') { "Element" } else { known.kind.as_str() };
            if is_primitive(kind) == item.is_object() {
                found.push(format!("{path}.{name} is no {kind}"));
            } else if item.is_object() {
                look(item, table, kind, found);
            }
        }
    }
}

/// Every resource of the fixtures that is one of R4 and without mistakes.
fn fixtures() -> Vec<(String, Value)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root.join("fixtures/lakeside")).unwrap() {
        let file = folder.unwrap().path().join("request.json");
        // Its mistake is an element that R5 has and R4 has not.
        if file.parent().unwrap().ends_with("unknown-element") {
            continue;
        }
        if let Ok(text) = std::fs::read_to_string(&file) {
            found.push((file.display().to_string(), serde_json::from_str(&text).unwrap()));
        }
    }
    assert!(found.len() > 5);
    found
}

/// The places where two resources differ.
fn differences(one: &Value, other: &Value, place: &str) -> Vec<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names
                .iter()
                .flat_map(|it| differences(&one[*it], &other[*it], &format!("{place}.{it}")))
                .collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let both = a.iter().zip(b).enumerate();
            both.flat_map(|(n, (a, b))| differences(a, b, &format!("{place}[{n}]"))).collect()
        }
        (a, b) if a == b => Vec::new(),
        (a, b) => vec![format!("{place}: {a} / {b}")],
    }
}
