//! A violation of a profile in words. A value that a profile fixes may be said; one that was sent never is.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::keyword::choices::Problem;
use super::keyword::{codes, invariants};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::validation::place;
use crate::validation::violation::{broken, missing};

/// The issues of one violation. `at` is the place of the resource, `profile` the profile's address.
pub(super) fn issues(error: &ValidationError<'_>, at: &str, schema: &Value, profile: &str) -> Vec<Issue> {
    let here = place::of_pointer(at, error.instance_path().as_str());
    let name = place::name(&here).to_owned();
    let issue = match error.kind() {
        Kind::Required { property } => {
            return missing(error.instance(), &here, property)
                .into_iter()
                .map(|it| named(it, profile))
                .collect();
        }
        Kind::Custom { message, .. } => custom(message, &here),
        Kind::FalseSchema => Some(said(format!("Leave `{name}` out"))),
        Kind::Constant { expected_value } => {
            Some(said(format!("Send `{name}` as {}", short(expected_value))))
        }
        Kind::MaxItems { limit } => Some(said(format!("Send at most {limit} of `{name}`"))),
        Kind::MinItems { limit } => Some(said(format!("Send at least {limit} of `{name}`"))),
        Kind::Contains => Some(said(wanted(error, schema, &name))),
        Kind::AnyOf { .. } => Some(said(format!("Send in `{name}` only the slices that the profile has"))),
        _ => Some(said(format!("Send `{name}` as the profile says"))),
    };
    let placed = |it: Issue| if it.expression.is_empty() { it.at(here.clone()) } else { it };
    issue.map(placed).map(|it| named(it, profile)).into_iter().collect()
}

fn custom(message: &str, here: &str) -> Option<Issue> {
    if let Some(Problem::Missing(name)) = Problem::read(message) {
        let text = format!("Send `{name}[x]`: one of its types is required here.");
        let issue = Issue::error(IssueKind::Required, "SEND_ELEMENT_MISSING", text);
        return Some(issue.at(place::child(here, name)));
    }
    if let Some(value_set) = codes::outside(message) {
        let text = format!("Send `{}` with a code of {value_set}.", place::name(here));
        return Some(Issue::error(IssueKind::CodeInvalid, "SEND_CODE_UNKNOWN", text));
    }
    invariants::broken(message).map(|it| broken(it, here))
}

fn said(text: String) -> Issue {
    Issue::error(IssueKind::Value, "SEND_PROFILE", text + ".")
}

fn named(issue: Issue, profile: &str) -> Issue {
    let text = format!("{} Profile: {profile}.", issue.text);
    Issue { text, ..issue }
}

/// What an item is missing or too often there for: a slice by its name, or a value that must be among the items.
fn wanted(error: &ValidationError<'_>, schema: &Value, name: &str) -> String {
    let path = error.schema_path().as_str();
    let around = path.rsplit_once('/').and_then(|(parent, _)| schema.pointer(parent));
    let Some(around) = around else {
        return format!("Send in `{name}` what the profile asks for");
    };
    if let Some(value) = around.get("wanted") {
        return format!("Send in `{name}` an item with {}", short(value));
    }
    let slice = around["slice"].as_str().unwrap_or_default();
    match (around["minContains"].as_u64(), around["maxContains"].as_u64()) {
        (Some(least), Some(most)) if least == most => {
            format!("Send in `{name}` exactly {least} of the slice `{slice}`")
        }
        (Some(least), Some(most)) if least > 0 => {
            format!("Send in `{name}` {least} to {most} of the slice `{slice}`")
        }
        (_, Some(most)) => format!("Send in `{name}` at most {most} of the slice `{slice}`"),
        (Some(least), None) => format!("Send in `{name}` at least {least} of the slice `{slice}`"),
        _ => format!("Send in `{name}` the slice `{slice}`"),
    }
}

/// A value of the profile's, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |it| format!("`{it}`"));
    if text.chars().count() > 160 { "the value that the profile fixes".to_owned() } else { text }
}
