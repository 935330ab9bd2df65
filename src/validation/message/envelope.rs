//! The Bundle around a referral.

use std::collections::HashSet;

use serde_json::Value;

use super::Form;
use crate::fhir::bundle::entries;
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::resource::resource_type;
use crate::validation::violation::element_missing;
use crate::validation::violations;

/// The most entries of one transaction.
pub const MAX_ENTRIES: usize = 500;

/// What makes it useless to look inside.
pub(super) fn check(bundle: &Value, form: Form) -> Option<Issue> {
    let expected = match form {
        Form::Transaction => "transaction",
        Form::Message => "message",
        Form::Collection => "collection",
    };
    if bundle["type"].is_string() && bundle["type"] != expected {
        return Some(wrong_type(form));
    }
    let count = entries(bundle).count();
    (!(1..=MAX_ENTRIES).contains(&count)).then(|| wrong_count(count))
}

/// The Bundle's own structure, and what every entry must have: a resource, in a transaction a request that
/// creates it, and a full URL of its own.
pub(super) fn check_entries(bundle: &Value, form: Form) -> Vec<Issue> {
    let mut full_urls = HashSet::new();
    let mut issues = violations(bundle, "Bundle");
    // What must hold among the entries is said below, with the entry that breaks it.
    issues.retain(|it| it.code != "SEND_INVARIANT" || it.expression != ["Bundle"]);
    for (number, entry) in entries(bundle).enumerate() {
        let at = format!("Bundle.entry[{number}]");
        if entry["resource"].is_null() {
            issues.push(element_missing(&format!("{at}.resource")));
        } else if form == Form::Transaction {
            issues.extend(check_request(entry, &at));
        }
        if entry["fullUrl"].as_str().is_some_and(|it| !full_urls.insert(it)) {
            let text = "Give every entry a `fullUrl` of its own.";
            let issue = Issue::error(IssueKind::Invariant, "SEND_FULL_URL_DUPLICATE", text);
            issues.push(issue.at(format!("{at}.fullUrl")));
        }
    }
    issues
}

fn check_request(entry: &Value, at: &str) -> Option<Issue> {
    let request = &entry["request"];
    let wrong = if request.is_null() {
        "request"
    } else if request["method"] != "POST" {
        "request.method"
    } else if request["url"] != resource_type(&entry["resource"]) {
        "request.url"
    } else {
        return None;
    };
    let text = "Send `request` with the method POST and the type of the resource as url.";
    Some(Issue::error(IssueKind::Value, "SEND_ENTRY_REQUEST", text).at(format!("{at}.{wrong}")))
}

fn wrong_type(form: Form) -> Issue {
    let text = match form {
        Form::Transaction => {
            "Send a Bundle of type transaction; a message goes to POST /fhir/$process-message, and a batch, document \
             or collection is not taken."
        }
        Form::Message | Form::Collection => {
            "Send a Bundle of type message; a transaction goes to POST /fhir."
        }
    };
    Issue::error(IssueKind::NotSupported, "SEND_BUNDLE_TYPE", text).at("Bundle.type")
}

fn wrong_count(count: usize) -> Issue {
    let issue = if count == 0 {
        Issue::error(IssueKind::Required, "SEND_BUNDLE_EMPTY", "Send the referral's resources as entries.")
    } else {
        let text = format!("Send at most {MAX_ENTRIES} entries in one transaction.");
        Issue::error(IssueKind::TooLong, "SEND_BUNDLE_TOO_LARGE", text)
    };
    issue.at("Bundle.entry")
}
