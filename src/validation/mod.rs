//! What a message must look like before we take it, every violation at once.
//!
//! [`check_resource`] looks at one resource: elements, cardinality, JSON types, formats and required codes of
//! FHIR R4. [`check_message`] looks at a whole referral: that there is one, of one patient, and that its parts
//! hold together. Nothing here does I/O, and no text repeats a value from a resource.

use std::collections::HashSet;

use serde_json::Value;

use definitions::Definitions;

use crate::fhir::message_index::contained;
use crate::fhir::outcome::{Issue, IssueKind, Severity};
use crate::fhir::resource::resource_type;

pub mod definitions;
mod expected;
mod invariant;
mod keyword;
pub mod message;
mod place;
pub mod profile;
mod schema;
mod size;
mod targets;
mod violation;
mod walk;

pub use message::{EVENTS, Form, check_form, check_message, check_outgoing, check_whole};
pub use profile::{ProfileFault, ProfileLibrary, Rules};
pub use size::MAX_VALUES;

/// The most issues that one answer lists; a further one says how many there are besides.
pub const MAX_ISSUES: usize = 100;

/// Every violation of FHIR R4's structure in one resource, contained resources included.
///
/// `at` is where the resource is, as FHIRPath over the message: `Bundle.entry[3].resource` or `ServiceRequest`.
/// Source: FHIR R4, JSON format and the definitions of the resource types (`profiles/structure`).
pub fn check_resource(resource: &Value, at: &str) -> Vec<Issue> {
    check_against(resource, at, &Rules::default())
}

/// As [`check_resource`], and every violation of the profiles that these rules name.
pub fn check_against(resource: &Value, at: &str, rules: &Rules) -> Vec<Issue> {
    size::check(resource).map_or_else(
        || {
            let mut issues = violations(resource, at);
            let resolve = |it: &str| type_of_contained(resource, it);
            issues.extend(targets::check(resource, at, &resolve));
            issues.extend(rules.check(resource, at, &resolve));
            capped(without_repeats(issues))
        },
        |it| vec![it.at(at)],
    )
}

/// Types that we know and a referral does not take: envelopes, forms, calendars, and what servers write.
const NOT_IN_A_REFERRAL: [&str; 12] = [
    "AuditEvent",
    "Bundle",
    "CommunicationRequest",
    "Group",
    "List",
    "MessageHeader",
    "OperationOutcome",
    "Parameters",
    "RequestGroup",
    "Schedule",
    "Slot",
    "Subscription",
];

/// Whether resources of this type may be part of a referral.
pub fn supports(resource_type: &str) -> bool {
    Definitions::r4().resources().any(|it| it == resource_type) && !NOT_IN_A_REFERRAL.contains(&resource_type)
}

/// Compiles the schema now, so that the first message need not wait for it.
pub fn prepare() {
    std::sync::LazyLock::force(&schema::SCHEMA);
}

/// Compiles the schema again, to see what a start costs.
pub fn compile_anew() {
    drop(schema::Schema::compile(schema::document(Definitions::r4())));
}

/// The type of the contained resource that a reference names.
fn type_of_contained(resource: &Value, reference: &str) -> Option<String> {
    let id = reference.strip_prefix('#')?;
    let named = contained(resource).find(|it| it["id"] == id)?;
    Some(resource_type(named).to_owned())
}

fn violations(resource: &Value, at: &str) -> Vec<Issue> {
    let schema = &*schema::SCHEMA;
    schema
        .validator
        .iter_errors(resource)
        .flat_map(|it| violation::issues(&it, at, &schema.document))
        .collect()
}

/// Two checks may find one fault; the first one's words stand. That a missing Patient cannot be resolved
/// either goes without saying.
fn without_repeats(issues: Vec<Issue>) -> Vec<Issue> {
    let mut seen = HashSet::new();
    let mut kept: Vec<Issue> = Vec::new();
    for issue in issues {
        let fresh = seen.insert((issue.code, issue.expression.clone()));
        let implied = issue.code == "SEND_REFERENCE_UNRESOLVED"
            && seen.contains(&("SEND_PATIENT_MISSING", issue.expression.clone()));
        if fresh && !implied {
            kept.push(issue);
        }
    }
    kept
}

fn capped(mut issues: Vec<Issue>) -> Vec<Issue> {
    let more = issues.len().saturating_sub(MAX_ISSUES);
    if more > 0 {
        issues.truncate(MAX_ISSUES);
        let text = format!("Mend these first: there are {more} more.");
        let last = Issue::error(IssueKind::TooLong, "SEND_ISSUES_MORE", text);
        issues.push(Issue { severity: Severity::Information, ..last });
    }
    issues
}

#[cfg(test)]
mod tests;
