//! Whether a node is about the patient of the referral (consent S8).

use serde_json::Value;

use super::node::{Node, Role};
use crate::consent::disclosure::Disclosure;
use crate::consent::matching::patient::{Whose, is_record_of, whose};
use crate::fhir::resource;

/// Whether it certainly is. About nobody, about a group, about two or about somebody else: it is not.
pub fn is_clear(node: &Node<'_>, disclosure: &Disclosure<'_>) -> bool {
    match resource::resource_type(node.resource) {
        "Patient" => is_record_of(node.resource, disclosure.patient),
        _ if node.role == Role::Accompanying => true,
        _ => is_about_the_patient(node, disclosure),
    }
}

fn is_about_the_patient(node: &Node<'_>, disclosure: &Disclosure<'_>) -> bool {
    let mut subjects = subjects(node.resource);
    let holder = node.outermost();
    if subjects.is_empty() {
        subjects = self::subjects(holder);
    }
    let is_this = |subject: &Value| {
        let contained = contained_patient(holder, subject);
        contained.map_or_else(
            || whose(subject, disclosure.patient, &disclosure.clinic.base) == Whose::This,
            |it| is_record_of(it, disclosure.patient),
        )
    };
    !subjects.is_empty() && subjects.into_iter().all(is_this)
}

fn contained_patient<'v>(holder: &'v Value, subject: &Value) -> Option<&'v Value> {
    let id = subject["reference"].as_str()?.strip_prefix('#')?;
    let mut contained = holder["contained"].as_array().into_iter().flatten();
    contained.find(|it| it["id"] == id && it["resourceType"] == "Patient")
}

fn subjects(resource: &Value) -> Vec<&Value> {
    if resource::resource_type(resource) == "Appointment" {
        let participants = resource["participant"].as_array().into_iter().flatten().map(|it| &it["actor"]);
        return participants.filter(|actor| is_patient(actor)).collect();
    }
    let elements = ["subject", "patient", "for", "beneficiary"].iter().filter_map(|name| resource.get(*name));
    elements.flat_map(|it| it.as_array().map_or_else(|| vec![it], |list| list.iter().collect())).collect()
}

fn is_patient(actor: &Value) -> bool {
    actor["type"] == "Patient" || actor["reference"].as_str().is_some_and(|text| text.contains("Patient/"))
}
