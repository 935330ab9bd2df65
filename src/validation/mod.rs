//! What a message must look like before we take it, every violation at once.
//!
//! [`check_resource`] looks at one resource: elements, cardinality, JSON types, formats and required codes of
//! FHIR R4. [`check_message`] looks at a whole referral: that there is one, of one patient, and that its parts
//! hold together. Nothing here does I/O, and no text repeats a value from a resource.

use serde_json::Value;

use crate::fhir::outcome::{Issue, IssueKind, Severity};

mod choice;
mod expected;
pub mod message;
mod place;
mod schema;
mod size;
mod violation;
mod walk;

pub use message::check_message;
pub use size::MAX_VALUES;

/// The most issues that one answer lists; a further one says how many there are besides.
pub const MAX_ISSUES: usize = 100;

/// Every violation of FHIR R4's structure in one resource, contained resources included.
///
/// `at` is where the resource is, as FHIRPath over the message: `Bundle.entry[3].resource` or `ServiceRequest`.
/// Source: FHIR R4, JSON format and the definitions of the resource types (`profiles/structure`).
pub fn check_resource(resource: &Value, at: &str) -> Vec<Issue> {
    size::check(resource).map_or_else(|| capped(violations(resource, at)), |it| vec![it.at(at)])
}

/// Whether resources of this type may be part of a referral.
pub fn supports(resource_type: &str) -> bool {
    // A Bundle is an envelope; what is in it is checked.
    resource_type != "Bundle" && schema::SCHEMA.knows(resource_type)
}

/// Compiles the schema now, so that the first message need not wait for it.
pub fn prepare() {
    std::sync::LazyLock::force(&schema::SCHEMA);
}

fn violations(resource: &Value, at: &str) -> Vec<Issue> {
    let schema = &*schema::SCHEMA;
    schema
        .validator
        .iter_errors(resource)
        .flat_map(|it| violation::issues(&it, at, &schema.document))
        .collect()
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
