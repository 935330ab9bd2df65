//! What a submission says, whichever door it came through: so that the same referral by two doors is one.
//!
//! Left out is what doors and servers add: the envelope, the order of its entries, ids, versions, addresses. A
//! reference counts by what it leads to. The Task is apart: it asks for the referral and is not part of it.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use crate::fhir::resource::{Written, write_canonical};
use crate::translation::submission::{Part, Submission};

/// The elements of `meta` that a server writes (FHIR R4, Meta).
const SERVERS_META: [&str; 3] = ["versionId", "lastUpdated", "source"];

/// A digest of one part, and of what it leads to.
type Fingerprint = Vec<u8>;

/// What a submission says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    parts: Vec<Fingerprint>,
    tasks: Vec<usize>,
}

impl Content {
    /// Reads a message that was found valid.
    pub(super) fn of(submission: &Submission<'_>) -> Self {
        let own: Vec<(Fingerprint, Vec<usize>)> =
            submission.parts().iter().map(|part| own(submission, part)).collect();
        let whole = own.iter().map(|(fingerprint, targets)| {
            let targets = targets.iter().flat_map(|it| &own[*it].0);
            fingerprint.iter().chain(targets).copied().collect()
        });
        let is_task = |(number, part): (usize, &Part<'_>)| (part.resource_type() == "Task").then_some(number);
        Self {
            parts: whole.collect(),
            tasks: submission.parts().iter().enumerate().filter_map(is_task).collect(),
        }
    }

    /// By what two submissions are compared: equal where the same referral is asked for.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let parts: BTreeSet<&Fingerprint> = self
            .parts
            .iter()
            .enumerate()
            .filter(|(number, _)| !self.tasks.contains(number))
            .map(|it| it.1)
            .collect();
        let framed =
            parts.into_iter().flat_map(|it| (it.len() as u64).to_be_bytes().into_iter().chain(it.clone()));
        framed.collect()
    }

    /// Whether the Tasks are the same, where both have any.
    pub(super) fn agrees_in_tasks(&self, other: &Self) -> bool {
        let tasks =
            |it: &Self| it.tasks.iter().map(|number| it.parts[*number].clone()).collect::<BTreeSet<_>>();
        self.tasks.is_empty() || other.tasks.is_empty() || tasks(self) == tasks(other)
    }

    /// For each part, the number of the same part in another submission; its own where there is none.
    pub(super) fn numbers_in(&self, other: &Self) -> Vec<usize> {
        let number = |(own, part)| other.parts.iter().position(|it| it == part).unwrap_or(own);
        self.parts.iter().enumerate().map(number).collect()
    }
}

/// The digest of a part without its references to others, and which those are.
fn own(submission: &Submission<'_>, part: &Part<'_>) -> (Fingerprint, Vec<usize>) {
    let (mut text, mut targets) = (Vec::new(), Vec::new());
    let meta = part.resource["meta"].as_object();
    let root = part.resource.as_object();
    write_canonical(part.resource, &mut text, &mut |object, name| {
        if is(root, object) && is_added(name, part, meta) || is(meta, object) && SERVERS_META.contains(&name)
        {
            return Written::Not;
        }
        let reference = (name == "reference").then(|| object[name].as_str()).flatten();
        match reference.and_then(|it| submission.resolve(it, part)) {
            Some(target) => {
                targets.push(target);
                Written::Blank
            }
            None => Written::Whole,
        }
    });
    (digest::digest(&digest::SHA256, &text).as_ref().to_vec(), targets)
}

fn is(one: Option<&Map<String, Value>>, other: &Map<String, Value>) -> bool {
    one.is_some_and(|it| std::ptr::eq(it, other))
}

/// Whether an element of a resource says nothing about the referral.
fn is_added(name: &str, part: &Part<'_>, meta: Option<&Map<String, Value>>) -> bool {
    match name {
        "id" => true,
        "contained" => part.contains_parts,
        "meta" => meta.is_some_and(|it| it.keys().all(|key| SERVERS_META.contains(&key.as_str()))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::people::{self, ReferralOptions};

    fn bytes(message: &Value) -> Vec<u8> {
        Content::of(&Submission::of(message)).bytes()
    }

    #[test]
    fn a_bundle_and_a_request_that_contains_the_same_say_the_same() {
        let options = ReferralOptions::default();
        let bundle = people::referral(1, &options);
        let mut turned = bundle.clone();
        turned["entry"].as_array_mut().unwrap().reverse();

        assert_eq!(bytes(&bundle), bytes(&people::service_request(1, &options)));
        assert_eq!(bytes(&bundle), bytes(&turned));
        assert_ne!(bytes(&bundle), bytes(&people::service_request(2, &options)));
    }

    #[test]
    fn another_value_or_another_target_of_a_reference_is_another_content() {
        let bundle = people::referral(1, &ReferralOptions::default());
        let number = bundle["entry"]
            .as_array()
            .unwrap()
            .iter()
            .position(|it| it["resource"]["resourceType"] == "ServiceRequest");
        let number = number.unwrap();
        let changed = |element: &str, value: Value| {
            let mut changed = bundle.clone();
            changed["entry"][number]["resource"][element] = value;
            bytes(&changed)
        };

        assert_ne!(changed("priority", json!("stat")), bytes(&bundle));
        let practitioner = bundle["entry"][2]["fullUrl"].clone();
        assert_ne!(changed("requester", json!({ "reference": practitioner })), bytes(&bundle));
        assert_eq!(changed("id", json!("55")), bytes(&bundle));
        assert_eq!(changed("meta", json!({ "versionId": "3" })), bytes(&bundle));
        assert_ne!(changed("meta", json!({ "versionId": "3", "tag": [{ "code": "x" }] })), bytes(&bundle));
    }

    #[test]
    fn parts_are_found_again_in_another_order() {
        let bundle = people::referral(1, &ReferralOptions::default());
        let mut turned = bundle.clone();
        turned["entry"].as_array_mut().unwrap().reverse();
        let (one, other) = (Content::of(&Submission::of(&bundle)), Content::of(&Submission::of(&turned)));

        let last = one.parts.len() - 1;
        assert_eq!(one.numbers_in(&other), (0..=last).map(|it| last - it).collect::<Vec<_>>());
        assert!(one.agrees_in_tasks(&other));
    }
}
