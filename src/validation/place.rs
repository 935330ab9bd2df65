//! Where something is, as FHIRPath over the message as it was sent.
//!
//! Keys come from the sender. One that FHIR could not have as an element's name may hold anything,
//! a patient's name included, so it is never repeated: the place is then that of its parent.

use std::fmt::Write;

/// The place of an element of an object.
pub(super) fn child(parent: &str, key: &str) -> String {
    let mut place = parent.to_owned();
    push_key(&mut place, key);
    place
}

/// The place of a JSON pointer (RFC 6901) below `root`.
pub(super) fn of_pointer(root: &str, pointer: &str) -> String {
    let mut place = root.to_owned();
    for step in pointer.split('/').skip(1) {
        match step.parse() {
            Ok(index) => push_index(&mut place, index),
            Err(_) => push_key(&mut place, step),
        }
    }
    place
}

/// Adds the name of an element; `_birthDate` is the same element as `birthDate`.
pub(super) fn push_key(place: &mut String, key: &str) {
    if is_element_name(key) {
        place.push('.');
        place.push_str(key.strip_prefix('_').unwrap_or(key));
    }
}

/// Adds the position in a list.
pub(super) fn push_index(place: &mut String, index: usize) {
    write!(place, "[{index}]").expect("writing to a String does not fail");
}

/// Whether FHIR could have an element of this name (FHIR R4, ElementDefinition, path: at most 64 characters).
pub(super) fn is_element_name(key: &str) -> bool {
    let name = key.strip_prefix('_').unwrap_or(key);
    (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The last name in a place, such as `subject`.
pub(super) fn name(place: &str) -> &str {
    let last = place.rsplit('.').next().unwrap_or(place);
    last.split('[').next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_becomes_a_path_and_a_sibling_the_element_itself() {
        let place = of_pointer("Bundle.entry[3].resource", "/name/0/_given/1/extension/0/url");

        assert_eq!(place, "Bundle.entry[3].resource.name[0].given[1].extension[0].url");
        assert_eq!(name(&place), "url");
        assert_eq!(name("Patient.name[0].given[1]"), "given");
    }

    #[test]
    fn a_key_that_may_hold_patient_data_is_not_repeated() {
        assert_eq!(child("Patient", "Jane Canary 1980-02-29"), "Patient");
        assert_eq!(of_pointer("Patient", "/Jane~1Canary/0"), "Patient[0]");
    }
}
