//! The one person whom the message is about.

use serde_json::Value;

use crate::fhir::coding::identifiers;
use crate::fhir::message_index::{Entry, MessageIndex, contained};
use crate::fhir::outcome::{Issue, IssueKind};
use crate::fhir::reference::{Target, target};
use crate::fhir::resource::resource_type;

/// The elements that name the patient in the types that we take (FHIR R4, patient compartment).
const PATIENT_ELEMENTS: [&str; 4] = ["subject", "patient", "beneficiary", "for"];

/// The referral names an identified Patient of the message, and nothing in the message is about somebody else.
pub(super) fn check(index: &MessageIndex<'_>, order: &Entry<'_>, issues: &mut Vec<Issue>) {
    let subject = &order.resource["subject"];
    if !subject.is_object() {
        return; // The structure's check has said so.
    }
    let named = subject["reference"].as_str().and_then(|it| index.resolve(it, order));
    // In a Bundle the Patient is an entry: the clinic's Task is about it as well.
    let may_be_inside = !order.at.starts_with("Bundle");
    let is_entry = |it: &Value| index.entries().iter().any(|entry| std::ptr::eq(entry.resource, it));
    let named = named.filter(|it| resource_type(it) == "Patient" && (may_be_inside || is_entry(it)));
    let Some(patient) = named else {
        let text = "Send the Patient in the message and refer to it in `subject`.";
        let at = format!("{}.subject", order.at);
        issues.push(Issue::error(IssueKind::Required, "SEND_PATIENT_MISSING", text).at(at));
        return;
    };
    if !identifiers(patient).any(|(system, _)| !system.is_empty()) {
        issues.push(unidentified(index, order, patient));
    }
    issues.extend(index.entries().iter().flat_map(|it| further_patients(it, patient)));
    issues.extend(index.entries().iter().flat_map(|it| about_others(index, it, patient)));
}

/// A second Patient could be taken for the first, by us or by the clinic.
fn further_patients(entry: &Entry<'_>, patient: &Value) -> Vec<Issue> {
    let inside = contained(entry.resource)
        .enumerate()
        .map(|(number, it)| (format!("{}.contained[{number}]", entry.at), it));
    let resources = std::iter::once((entry.at.clone(), entry.resource)).chain(inside);
    let further = resources.filter(|(_, it)| resource_type(it) == "Patient" && !std::ptr::eq(*it, patient));
    further.map(|(at, _)| several(at)).collect()
}

fn several(at: String) -> Issue {
    let text = "Send one Patient. Somebody else who matters, such as a parent, is a RelatedPerson.";
    Issue::error(IssueKind::Invariant, "SEND_PATIENT_SEVERAL", text).at(at)
}

fn unidentified(index: &MessageIndex<'_>, order: &Entry<'_>, patient: &Value) -> Issue {
    let entry = index.entries().iter().find(|it| std::ptr::eq(it.resource, patient));
    let inside = || contained(order.resource).position(|it| std::ptr::eq(it, patient)).unwrap_or_default();
    let at = entry.map_or_else(|| format!("{}.contained[{}]", order.at, inside()), |it| it.at.clone());
    let text = "Send at least one `identifier` of the Patient with `system` and `value`.";
    Issue::error(IssueKind::Required, "SEND_PATIENT_UNIDENTIFIED", text).at(format!("{at}.identifier"))
}

fn about_others(index: &MessageIndex<'_>, entry: &Entry<'_>, patient: &Value) -> Vec<Issue> {
    let inside = contained(entry.resource)
        .enumerate()
        .map(|(number, it)| (format!("{}.contained[{number}]", entry.at), it));
    let resources = std::iter::once((entry.at.clone(), entry.resource)).chain(inside);
    let elements = resources.flat_map(|(at, resource)| {
        PATIENT_ELEMENTS.map(|name| (format!("{at}.{name}"), resource[name]["reference"].as_str()))
    });
    let wrong = elements.filter(|(_, it)| it.is_some_and(|it| is_somebody_else(index, entry, (it, patient))));
    wrong.map(|(at, _)| other(at)).collect()
}

fn is_somebody_else(
    index: &MessageIndex<'_>,
    entry: &Entry<'_>,
    (reference, patient): (&str, &Value),
) -> bool {
    match index.resolve(reference, entry) {
        Some(found) => !std::ptr::eq(found, patient),
        // Nobody can tell whom it names. The other kinds that lead nowhere are reported as such.
        None => matches!(target(reference), Target::Absolute(_)),
    }
}

fn other(at: String) -> Issue {
    let text = "Refer to the Patient of the referral: a message is about one patient.";
    Issue::error(IssueKind::Invariant, "SEND_PATIENT_OTHER", text).at(at)
}
