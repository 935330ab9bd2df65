//! For people: one step below the other.

use serde_json::Value;

use super::{loss, table};
use crate::app::preview::{Direction, Previewed};
use crate::cli::say;

/// Everything.
pub(super) fn report(previewed: &Previewed) {
    shape(previewed);
    for note in &previewed.notes {
        say(&format!("note       {note}"));
    }
    issues(previewed);
    if let Some(answer) = &previewed.answer {
        say(&format!("answer     {}", pretty(answer)));
    }
    for code in &previewed.codes {
        say(&format!("code       {code}"));
    }
    table::report(previewed);
    let whom = match previewed.direction {
        Direction::Inbound => "for the clinic",
        Direction::Outbound => "for the partner",
    };
    for result in &previewed.results {
        say(&format!("translate  {whom}: {}", pretty(result)));
    }
    loss::report(previewed);
}

fn shape(previewed: &Previewed) {
    let shape = &previewed.shape;
    let kind = shape.bundle_type.as_ref().map_or_else(String::new, |it| format!(" of type {it}"));
    let event = shape.event.as_ref().map_or_else(String::new, |it| format!(", event {it}"));
    let name = if shape.resource_type.is_empty() { "no resource" } else { &shape.resource_type };
    say(&format!(
        "open       {}: {name}{kind}{event}, FHIR {}, dialect {}",
        shape.door, shape.fhir_version, shape.dialect
    ));
    let resources: Vec<String> =
        shape.resources.iter().map(|(name, count)| format!("{count} {name}")).collect();
    say(&format!("holds      {}", resources.join(", ")));
    for profile in &shape.profiles {
        say(&format!("profile    {profile}"));
    }
}

/// What is wrong.
pub(super) fn issues(previewed: &Previewed) {
    let what = match previewed.direction {
        Direction::Inbound => "taken",
        Direction::Outbound => "sent",
    };
    let refused = if previewed.accepted { "" } else { "not " };
    match previewed.issues.len() {
        0 => say(&format!("validate   no issues; it would {refused}be {what}")),
        count => say(&format!("validate   {count} issues; it would {refused}be {what}")),
    }
    for issue in &previewed.issues {
        let place = issue.expression.join(", ");
        say(&format!("  {:<11} {:<26} {place}  {}", issue.severity.code(), issue.code, issue.text));
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
