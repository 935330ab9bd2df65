//! A violation of the schema in words for the one who can mend it. Says the place and the rule, never the value.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::invariant::Invariant;
use super::keyword::choices::Problem;
use super::keyword::{base64, invariants};
use super::{expected, place};
use crate::fhir::outcome::{Issue, IssueKind};

/// The issues of one violation, mostly one. `at` is the place of the resource.
pub(super) fn issues(error: &ValidationError<'_>, at: &str, schema: &Value) -> Vec<Issue> {
    let here = place::of_pointer(at, error.instance_path().as_str());
    match error.kind() {
        Kind::Required { property } => missing(error.instance(), &here, property).into_iter().collect(),
        Kind::AdditionalProperties { unexpected } => unexpected.iter().map(|it| unknown(&here, it)).collect(),
        Kind::Custom { message, .. } => {
            let choice = Problem::read(message).map(|it| choice(it, &here));
            let broken = || invariants::broken(message).map(|it| broken(it, &here));
            choice.or_else(broken).or_else(|| not_base64(error, message, &here)).into_iter().collect()
        }
        _ => vec![of_value(error, here, schema)],
    }
}

/// A required element that is not there.
pub(super) fn missing(object: &Value, here: &str, property: &Value) -> Option<Issue> {
    let name = property.as_str().unwrap_or_default();
    // A primitive may consist of extensions alone, such as data-absent-reason.
    let only_extended = object.get(format!("_{name}")).is_some();
    (!only_extended).then(|| element_missing(&place::child(here, name)))
}

/// An element that must be there is not.
pub(super) fn element_missing(place: &str) -> Issue {
    let text = format!("Send `{}`: it is required here.", place::name(place));
    Issue::error(IssueKind::Required, "SEND_ELEMENT_MISSING", text).at(place)
}

fn unknown(here: &str, key: &str) -> Issue {
    let text = if place::is_element_name(key) {
        format!("Remove `{key}`: FHIR R4 has no such element here.")
    } else {
        "Remove the element whose name no FHIR element can have.".to_owned()
    };
    Issue::error(IssueKind::Structure, "SEND_ELEMENT_UNKNOWN", text).at(place::child(here, key))
}

fn choice(problem: Problem<'_>, here: &str) -> Issue {
    match problem {
        Problem::Missing(name) => {
            let text = format!("Send `{name}[x]`: one of its types is required here.");
            Issue::error(IssueKind::Required, "SEND_ELEMENT_MISSING", text).at(place::child(here, name))
        }
        Problem::Ambiguous(name) => {
            let text = format!("Send `{name}[x]` in one type only.");
            Issue::error(IssueKind::Invariant, "SEND_CHOICE_AMBIGUOUS", text).at(place::child(here, name))
        }
    }
}

fn not_base64(error: &ValidationError<'_>, message: &str, here: &str) -> Option<Issue> {
    let name = place::name(here);
    base64::is_wrong(message).then(|| {
        if is_empty(error.instance()) {
            return empty(name).at(here);
        }
        let text = format!("Send `{name}` as base64.");
        Issue::error(IssueKind::Value, "SEND_VALUE_FORMAT", text).at(here)
    })
}

/// An invariant that does not hold.
pub(super) fn broken(invariant: &Invariant, here: &str) -> Issue {
    let text = format!("{} ({}).", invariant.fix.trim_end_matches('.'), invariant.key);
    Issue::error(IssueKind::Invariant, "SEND_INVARIANT", text).at(here)
}

fn of_value(error: &ValidationError<'_>, here: String, schema: &Value) -> Issue {
    let name = place::name(&here).to_owned();
    let issue = match error.kind() {
        Kind::Enum { .. } | Kind::Constant { .. } if name == "resourceType" => type_unknown(),
        Kind::Enum { .. } | Kind::Pattern { .. } if is_empty(error.instance()) => empty(&name),
        Kind::Enum { options } if error.instance().is_string() => {
            let text = format!("Send `{name}` as one of {}.", list(options));
            Issue::error(IssueKind::CodeInvalid, "SEND_CODE_UNKNOWN", text)
        }
        Kind::Enum { .. } => wrong_type(format!("Send `{name}` as a code, a JSON string.")),
        Kind::Pattern { .. } | Kind::Minimum { .. } | Kind::Maximum { .. } => {
            bad_format(&name, error, schema)
        }
        Kind::MinLength { .. } | Kind::MinItems { .. } | Kind::MinProperties { .. } => empty(&name),
        Kind::FalseSchema => {
            let text = "Move `contained` up: a contained resource contains no resources.";
            Issue::error(IssueKind::Structure, "SEND_ELEMENT_UNKNOWN", text)
        }
        _ => wrong_type(format!("Send `{name}` as {}.", expected::form(error, schema))),
    };
    issue.at(here)
}

fn type_unknown() -> Issue {
    let text =
        "Leave this resource out, or send it as a type that a referral takes; docs/ERRORS.md lists them.";
    Issue::error(IssueKind::NotSupported, "SEND_RESOURCE_TYPE_UNKNOWN", text)
}

fn wrong_type(text: String) -> Issue {
    Issue::error(IssueKind::Structure, "SEND_ELEMENT_TYPE", text)
}

fn bad_format(name: &str, error: &ValidationError<'_>, schema: &Value) -> Issue {
    let text = format!("Send `{name}` as {}.", expected::format(error, schema));
    Issue::error(IssueKind::Value, "SEND_VALUE_FORMAT", text)
}

fn empty(name: &str) -> Issue {
    let text = format!("Leave `{name}` out or fill it: FHIR knows no empty values.");
    Issue::error(IssueKind::Structure, "SEND_ELEMENT_EMPTY", text)
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

fn list(options: &Value) -> String {
    let codes: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    codes.join(", ")
}
