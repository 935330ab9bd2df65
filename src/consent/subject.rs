//! Whether everything that would be sent is about the patient of the referral.

use serde_json::Value;

use super::disclosure::Disclosure;
use super::patient::{Whose, whose};
use crate::fhir::resource;

/// The rule that is broken, if what would be sent is about nobody, about somebody else, or about more than
/// one patient (consent S8).
pub fn doubt(disclosure: &Disclosure<'_>) -> Option<&'static str> {
    let clear = |it: &Value| {
        let subjects = subjects(it);
        !subjects.is_empty() && subjects.iter().all(|it| whose(it, disclosure.patient) == Whose::This)
    };
    let accompanies = |it: &Value| resource::resource_type(it) == "Binary";
    let all_clear = disclosure.resources.iter().all(|it| accompanies(it) || clear(it));
    (!all_clear || disclosure.resources.is_empty()).then_some("subject-unclear")
}

fn subjects(resource: &Value) -> Vec<&Value> {
    if resource::resource_type(resource) == "Appointment" {
        let participants = resource["participant"].as_array().into_iter().flatten().map(|it| &it["actor"]);
        return participants.filter(|actor| is_patient(actor)).collect();
    }
    ["subject", "patient", "for", "beneficiary"].iter().filter_map(|name| resource.get(*name)).collect()
}

fn is_patient(actor: &Value) -> bool {
    actor["type"] == "Patient" || actor["reference"].as_str().is_some_and(|text| text.contains("Patient/"))
}
